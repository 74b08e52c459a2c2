// A card: memory, copies, marks in time, and kernels launched by name.
//
// There are two of it: device.cu runs on cards, emulated.cpp runs the same kernels on the
// processor, for tests (WELLGRAM_CUDA=EMULATED).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace wellgram::gpu {

using Address = std::uint64_t;
using Word = std::int64_t;  // an argument of a kernel: an address, a whole number, a double's bits

// Rows in main memory, of so many bytes each, so many bytes apart.
struct HostRows {
  char* data;
  std::size_t rows, bytes;
  std::ptrdiff_t apart;

  char* row(std::size_t r) const { return data + static_cast<std::ptrdiff_t>(r) * apart; }
  bool lie_whole(std::size_t elsewhere) const {
    return bytes == elsewhere && apart == static_cast<std::ptrdiff_t>(bytes);
  }
  HostRows block(std::size_t first, std::size_t count) const {
    return {row(first), count, bytes, apart};
  }
};

// Rows to memory where they are `apart`, with zeros between, and back.
inline void pack(const HostRows& from, char* to, std::size_t apart) {
  if (from.lie_whole(apart)) {
    std::memcpy(to, from.data, from.rows * apart);
    return;
  }
  for (std::size_t r = 0; r < from.rows; ++r) {
    std::memcpy(to + r * apart, from.row(r), from.bytes);
    std::memset(to + r * apart + from.bytes, 0, apart - from.bytes);
  }
}
inline void unpack(const char* from, std::size_t apart, const HostRows& to) {
  if (to.lie_whole(apart)) {
    std::memcpy(to.data, from, to.rows * apart);
    return;
  }
  for (std::size_t r = 0; r < to.rows; ++r) std::memcpy(to.row(r), from + r * apart, to.bytes);
}

// A place in the queue of a card's work.
class Mark {
 public:
  virtual ~Mark() = default;
  virtual void wait() const = 0;
  virtual double milliseconds_since(const Mark& earlier) const = 0;
};

class Device {
 public:
  virtual ~Device() = default;

  // Work is queued and done in turn. What is given back is so once the work before is done.
  virtual Address allocate(std::size_t bytes) = 0;  // throws std::bad_alloc
  virtual void release(Address address) = 0;
  virtual std::size_t free_memory() const = 0;
  virtual void clear(Address address, std::size_t bytes) = 0;

  // Rows `apart` bytes apart on the card, the bytes between them zero. Goes on beside the work that
  // is queued, but for what precedes the mark; work that is queued later finds it there.
  virtual void put(Address to, std::size_t apart, const HostRows& from, const Mark& after) = 0;
  // Waits for the work that is queued.
  virtual void get(const HostRows& to, Address from, std::size_t apart) = 0;

  virtual std::unique_ptr<Mark> mark() = 0;
  // Lets the queue wait for the work of a stream, given by its handle.
  virtual void follow(std::uint64_t stream) = 0;
  virtual void launch(const std::string& kernel, std::int64_t blocks,
                      const std::vector<Word>& words) = 0;

  // c (m, n) = a (m, d) b (n, d)' by cuBLASLt, which is loaded from the path of its library. Of
  // int8 the products are int32, and n, d and strides multiples of 16.
  struct Product {
    std::int64_t m, n, d;
    Address a, b, c;
    std::int64_t a_stride, b_stride, c_stride;
  };
  enum class Kind { float32, tf32, bfloat16, float64, int8 };
  virtual void multiply(const std::string& library, Kind kind, const Product& product) = 0;
};

std::unique_ptr<Device> open_device(int index);

struct Found {
  std::string name;
  int major, minor;    // compute capability
  std::size_t memory;  // bytes
};
struct Devices {
  std::vector<Found> found;
  std::string problem;  // why none was found; empty where some were
};
Devices list_devices();

// What can be launched, and of each argument whether it is a double ('d') or not ('i').
std::map<std::string, std::string> kernel_signatures();

// Whether this is a processor that plays a card.
bool is_emulated();

}  // namespace wellgram::gpu
