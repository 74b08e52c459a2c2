// What NumPy's shuffle draws, from NumPy's own generators.
#pragma once

#include <cstdint>

#include "common/view.hpp"

namespace wellgram {

// The interface of a bit generator of NumPy (numpy/random/bitgen.h), which its capsule holds.
struct BitGenerator {
  void* state;
  std::uint64_t (*next_uint64)(void*);
  std::uint32_t (*next_uint32)(void*);
  double (*next_double)(void*);
  std::uint64_t (*next_raw)(void*);
};

// places.row(r) = where the first items of the r-th shuffle of 0, 1, ..., total - 1 lay, ascending.
void shuffled_places(const BitGenerator& generator, Index total, View<std::uint32_t> places);

}  // namespace wellgram
