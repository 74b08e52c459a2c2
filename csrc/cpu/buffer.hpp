// Memory for panels and tables: aligned for any vector, on large pages where it is large. Faults
// for many small pages cost more than packing, and looking their places up more than a random
// access.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "common/view.hpp"

namespace wellgram {

inline void* allocate_pages(std::size_t bytes) {
  constexpr std::size_t line = 64, large = 2 << 20;
  const std::size_t alignment = bytes < large / 2 ? line : large;
  bytes = (bytes / alignment + 1) * alignment;
  void* data = std::aligned_alloc(alignment, bytes);
  if (data == nullptr) throw std::bad_alloc();
#if defined(__linux__)
  if (alignment == large) madvise(data, bytes, MADV_HUGEPAGE);
#endif
  return data;
}

// Room that is filled by its user.
template <class T>
class Buffer {
 public:
  explicit Buffer(Index size)
      : data_(static_cast<T*>(allocate_pages(static_cast<std::size_t>(size) * sizeof(T)))) {}

  T* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(T* p) const { std::free(p); }
  };
  std::unique_ptr<T, Free> data_;
};

// The same for the containers of the standard library.
template <class T>
struct PageAllocator {
  using value_type = T;

  PageAllocator() = default;
  template <class U>
  PageAllocator(const PageAllocator<U>&) {}

  T* allocate(std::size_t count) { return static_cast<T*>(allocate_pages(count * sizeof(T))); }
  void deallocate(T* data, std::size_t) { std::free(data); }
  bool operator==(const PageAllocator&) const { return true; }
};

}  // namespace wellgram
