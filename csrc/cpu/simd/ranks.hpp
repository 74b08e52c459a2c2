// count_ranks: finds each cosine its place among the keys and counts it there.
//
// Per value one line of a table that is larger than the nearer caches; the lines are sent for some
// values ahead of their turn.
#pragma once

#include "cpu/simd/lanes.hpp"

namespace wellgram::WELLGRAM_ISA {
namespace {

// Compared so that NaN goes to the end.
template <class T>
inline void units_of(Vector<T> values, const RankGrid<T>& grid, std::int32_t* out) {
  using Whole = typename Lanes<T>::Whole;
  const auto zero = broadcast(T(0)), end = broadcast(T(segments << segment_bits));
  auto place = (values - broadcast(grid.low)) * broadcast(grid.units);
  place = place < zero ? zero : place;
  place = place < end ? place : end;
  const Whole whole = __builtin_convertvector(place, Whole);
  __builtin_memcpy(out, &whole, sizeof whole);
}

template <class T>
void find_units(const T* v, Index count, const RankGrid<T>& grid, std::int32_t* units) {
  for (Index k = 0; k < count; k += Lanes<T>::count) units_of(load(v + k), grid, units + k);
}

// A vector of values as integers of the same order; NaN as the largest.
template <class T>
inline void order(Vector<T> values, Ordered<T>* out) {
  using Integers = typename Lanes<T>::OrderedVector;
  const Integers all = Integers{} + std::numeric_limits<Ordered<T>>::max();
  const Integers bits = reinterpret_cast<Integers>(values + T(0));
  const auto number = reinterpret_cast<Integers>(values == values);
  const Integers keys = ((bits ^ ((bits < 0) & all)) & number) | (all & ~number);
  __builtin_memcpy(out, &keys, sizeof keys);
}

// How many of the keys of a line are less than a value.
template <class Key>
inline int keys_below(const Key* keys, Key value) {
  int below = 0;
  for (int k = 0; k < line_keys; ++k) below += keys[k] < value;
  return below;
}
#if defined(__AVX2__)
template <>
inline int keys_below(const std::int32_t* keys, std::int32_t value) {
  const __m256i all = _mm256_load_si256(reinterpret_cast<const __m256i*>(keys));
  const __m256i less = _mm256_cmpgt_epi32(_mm256_set1_epi32(value), all);
  return __builtin_popcount(static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(less))));
}
#endif

// The ranking of a tile, a value a step: send for the line of one, count one that was sent for.
template <class T>
class RankSteps {
 public:
  static constexpr int steps = Tile<T>::rows * Tile<T>::columns;
  static constexpr int ahead = steps < 32 ? steps / 2 : 16;
  static_assert(steps % Lanes<T>::count == 0 && ahead % Lanes<T>::count == 0);

  [[gnu::always_inline]] explicit RankSteps(const RankWork<T>& work) : work_(work) {
    for (int k = 0; k < ahead; ++k) {
      if (k % Lanes<T>::count == 0) prepare(k);
      send_for(k);
    }
  }

  [[gnu::always_inline]] void step(int k) {
    if (k + ahead < steps) {
      if (k % Lanes<T>::count == 0) prepare(k + ahead);
      send_for(k + ahead);
    }
    count(k);
  }

 private:
  [[gnu::always_inline]] void prepare(int k) {
    const auto some = load(work_.values + k);
    units_of<T>(some, work_.grid, units_ + k);
    order<T>(some, value_ + k);
  }
  [[gnu::always_inline]] void send_for(int k) {
    line_[k] = work_.lines + line_of(work_.grid.segment, static_cast<std::uint32_t>(units_[k]));
    __builtin_prefetch(line_[k], 1);
  }
  [[gnu::always_inline]] void count(int k) {
    RankLine<T>* line = line_[k];
    const Ordered<T> value = value_[k];
    const int place = keys_below(line->keys, value);
    if (place == line_keys) [[unlikely]] {
      spill(k);
      return;
    }
    keep(k, ++line->counts[place]);
    if (line->keys[place] == value) [[unlikely]]
      ++work_.equal[work_.first_key[line - work_.lines] + place];
  }
  // Written every time and kept by moving on: a branch would often go the way not foreseen.
  [[gnu::always_inline]] void keep(int k, std::uint32_t count) {
    work_.kept->values[work_.kept->count] = work_.values[k];
    work_.kept->count += count / keeping & work_.kept->more;
  }
  [[gnu::always_inline]] void spill(int k) {
    const Index line = line_[k] - work_.lines;
    std::uint32_t first = work_.first_key[line], end = work_.first_key[line + 1];
    while (first < end) {
      const std::uint32_t middle = first + (end - first) / 2;
      if (work_.keys[middle] < value_[k])
        first = middle + 1;
      else
        end = middle;
    }
    keep(k, ++work_.spilled[first]);
    if (work_.keys[first] == value_[k]) ++work_.equal[first];
  }

  const RankWork<T> work_;
  std::int32_t units_[steps];
  Ordered<T> value_[steps];
  RankLine<T>* line_[steps];
};

template <class T>
void count_ranks(const RankWork<T>& work) {
  RankSteps<T> ranks(work);
  for (int k = 0; k < RankSteps<T>::steps; ++k) ranks.step(k);
}

}  // namespace
}  // namespace wellgram::WELLGRAM_ISA
