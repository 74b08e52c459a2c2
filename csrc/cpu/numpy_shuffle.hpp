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

// PCG64, the generator of default_rng, as NumPy has it (pcg64.c): a call through the interface
// above takes longer than a word of it. A word is halved; the upper half is kept for the next call.
struct Pcg64 {
  __extension__ using Wide = unsigned __int128;

  std::uint32_t next();

  Wide state, increment;
  bool kept;
  std::uint32_t upper;
};

// places.row(r) = where the first items of the r-th shuffle of 0, 1, ..., total - 1 lay, ascending.
void shuffled_places(const BitGenerator& generator, Index total, View<std::uint32_t> places);
void shuffled_places(Pcg64& generator, Index total, View<std::uint32_t> places);

}  // namespace wellgram
