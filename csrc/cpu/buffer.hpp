// Memory for packed panels: aligned for any vector, freed with its owner.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

#include "common/view.hpp"

namespace wellgram {

template <class T>
class Buffer {
 public:
  explicit Buffer(Index size) {
    constexpr std::size_t alignment = 64;
    const std::size_t bytes =
        (static_cast<std::size_t>(size) * sizeof(T) / alignment + 1) * alignment;
    data_.reset(static_cast<T*>(std::aligned_alloc(alignment, bytes)));
    if (!data_) throw std::bad_alloc();
  }

  T* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(T* p) const { std::free(p); }
  };
  std::unique_ptr<T, Free> data_;
};

}  // namespace wellgram
