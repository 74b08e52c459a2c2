// shuffled_places: the sets that NumPy's shuffle puts first, from the same draws.
//
// NumPy swaps place i with a random place up to it, for i from the last down, and draws that place
// by masking a word to the bits of i and trying again while it is above i (random_interval in
// distributions.c). So there are total draws a row, a third more words, and none may be left out;
// but the items need not be moved. Read from the last swap to the first, a set of places goes back
// to where its items came from: beyond the first k, place i takes the mark of the place drawn for
// it, which is seldom marked. Against swapping, that saves the row of items and its sorting.
#include "cpu/numpy_shuffle.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

namespace wellgram {

inline std::uint32_t Pcg64::next() {
  if (kept) {
    kept = false;
    return upper;
  }
  constexpr auto multiplier = static_cast<Wide>(2549297995355413924u) << 64 | 4865540595714422341u;
  state = state * multiplier + increment;
  const auto high = static_cast<std::uint64_t>(state >> 64);
  const auto word =
      std::rotr(high ^ static_cast<std::uint64_t>(state), static_cast<int>(high >> 58));
  kept = true;
  upper = static_cast<std::uint32_t>(word >> 32);
  return static_cast<std::uint32_t>(word);
}

namespace {

// partner[i] for i from the last down to 1. Without a branch on what is drawn: a place drawn in
// vain is written over. The generator is a copy, so that it stays in registers.
template <class Words, class Place>
Words draw_partners(Words words, std::vector<Place>& partner) {
  auto i = static_cast<std::uint32_t>(partner.size()) - 1;
  Place* const out = partner.data();
  while (i > 0) {
    const std::uint32_t low = std::bit_floor(i), mask = low | (low - 1);
    while (i >= low) {
      const std::uint32_t place = words.next() & mask;
      out[i] = static_cast<Place>(place);
      i -= place <= i;
    }
  }
  return words;
}

// Moves marks on, from the places before `first` to where their items came from. Most are unmarked,
// so that eight are looked at together.
template <class Place>
void follow(const std::vector<Place>& partner, std::size_t first,
            std::vector<std::uint8_t>& marked) {
  const auto step = [&](std::size_t i) {
    if (marked[partner[i]] == 0) return;
    marked[partner[i]] = 0;
    marked[i] = 1;
  };
  constexpr std::size_t together = 8;
  std::size_t i = first;
  for (; i + together <= partner.size(); i += together) {
    std::uint8_t any = 0;
#pragma GCC unroll 8
    for (std::size_t k = i; k < i + together; ++k) any |= marked[partner[k]];
    if (any != 0)
      for (std::size_t k = i; k < i + together; ++k) step(k);
  }
  for (; i < partner.size(); ++i) step(i);
}

template <class Place, class Words>
void shuffle(Words& words, Index total, View<std::uint32_t> places) {
  const Index taken = places.columns;
  std::vector<Place> partner(total);
  std::vector<std::uint8_t> marked(total);
  for (Index r = 0; r < places.rows; ++r) {
    words = draw_partners(words, partner);
    std::fill(marked.begin(), marked.end(), std::uint8_t{0});
    std::fill(marked.begin(), marked.begin() + taken, std::uint8_t{1});
    follow(partner, static_cast<std::size_t>(taken), marked);
    const std::uint8_t *begin = marked.data(), *at = begin;
    for (Index k = 0; k < taken; ++k) {
      at = static_cast<const std::uint8_t*>(std::memchr(at, 1, begin + total - at));
      places.row(r)[k] = static_cast<std::uint32_t>(at++ - begin);
    }
  }
}

template <class Words>
void shuffle(Words& words, Index total, View<std::uint32_t> places) {
  if (total <= 1 << 16)
    shuffle<std::uint16_t>(words, total, places);
  else
    shuffle<std::uint32_t>(words, total, places);
}

// Whatever generator NumPy has.
struct GeneratorWords {
  const BitGenerator* generator;
  std::uint32_t next() { return generator->next_uint32(generator->state); }
};

}  // namespace

void shuffled_places(const BitGenerator& generator, Index total, View<std::uint32_t> places) {
  GeneratorWords words{&generator};
  shuffle(words, total, places);
}

void shuffled_places(Pcg64& generator, Index total, View<std::uint32_t> places) {
  shuffle(generator, total, places);
}

}  // namespace wellgram
