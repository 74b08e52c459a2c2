// Loops over the cosines of a tile: what consumers do with them. Tiles are short, so 32-bit
// counters are wide enough and leave the lanes as wide as the values.
#pragma once

#include "cpu/simd/lanes.hpp"

namespace wellgram::WELLGRAM_ISA {
namespace {

template <class T>
Index count_below(const T* v, Index count, T t) {
  int below = 0;
  for (Index k = 0; k < count; ++k) below += v[k] < t;
  return below;
}

template <class T>
Split split(const T* v, Index count, T low, T high) {
  int below = 0, up_to_high = 0;
  for (Index k = 0; k < count; ++k) {
    below += v[k] < low;
    up_to_high += v[k] <= high;
  }
  return {below, up_to_high - below};
}

template <class T>
Split collect(const T* v, Index count, T low, T high, T* kept) {
  constexpr int lanes = Lanes<T>::count;
  const auto lows = broadcast(low), highs = broadcast(high);
  typename Lanes<T>::OrderedVector under{};
  Index k = 0, below = 0, within = 0;
  for (; k + lanes <= count; k += lanes) {
    const auto values = load(v + k);
    under -= values < lows;
    within += put_lanes(values, up_to(lows, values) & up_to(values, highs), kept + within);
  }
  for (int l = 0; l < lanes; ++l) below += under[l];
  for (; k < count; ++k) {
    below += v[k] < low;
    if (low <= v[k] && v[k] <= high) kept[within++] = v[k];
  }
  return {below, within};
}

// Written so that a NaN falls into the first bin instead of outside of the table.
template <class T>
void count_bins(const T* v, Index count, double low, double bins_per_unit, Index bins,
                Index* counts) {
  const double last = static_cast<double>(bins - 1);
  std::int32_t bin[max_tile];
  for (Index k = 0; k < count; ++k) {
    const double place = (static_cast<double>(v[k]) - low) * bins_per_unit;
    const double inside = place > 0 ? place : 0;
    bin[k] = static_cast<std::int32_t>(inside < last ? inside : last);
  }
  for (Index k = 0; k < count; ++k) ++counts[bin[k]];
}

template <class T>
Index admit(const T* tile, const T* row_most, const T* column_most, const T* row_least,
            const T* column_least, std::uint16_t* found) {
  constexpr int lanes = Lanes<T>::count;
  const Vector<T> most[] = {load(row_most), load(row_most + lanes)};
  const Vector<T> least[] = {load(row_least), load(row_least + lanes)};
  Index count = 0;
  for (int j = 0; j < Tile<T>::columns; ++j) {
    const auto high = broadcast(column_most[j]), low = broadcast(column_least[j]);
    for (int half = 0; half < 2; ++half) {
      const int place = j * Tile<T>::rows + half * lanes;
      const auto values = load(tile + place);
      const auto lesser = most[half] < high ? most[half] : high;
      const auto greater = least[half] > low ? least[half] : low;
      for (unsigned bits = up_to(lesser, values) | up_to(values, greater); bits != 0;
           bits &= bits - 1)
        found[count++] = static_cast<std::uint16_t>(place + __builtin_ctz(bits));
    }
  }
  return count;
}

// Fixed point without a conversion: adding 1.5 * 2^12 leaves value * 2^40, rounded, in the lower
// bits of the sum, and the bits of the constant itself are taken off at once for all.
template <class T>
void add_moments(const T* tile, Moments* rows, Moments* columns) {
  constexpr double shift = 6755399441055744.0 / fixed_point;
  constexpr std::int64_t shift_bits = __builtin_bit_cast(std::int64_t, shift);
  constexpr int tall = Tile<T>::rows;
  std::int64_t sum[tall] = {}, squares[tall] = {};
  for (int j = 0; j < Tile<T>::columns; ++j) {
    std::int64_t column_sum = 0, column_squares = 0;
    for (int i = 0; i < tall; ++i) {
      const double value = static_cast<double>(tile[j * tall + i]);
      const double first = value + shift, second = value * value + shift;
      const auto one = __builtin_bit_cast(std::int64_t, first) - shift_bits;
      const auto two = __builtin_bit_cast(std::int64_t, second) - shift_bits;
      sum[i] += one;
      squares[i] += two;
      column_sum += one;
      column_squares += two;
    }
    if (columns != nullptr) {
      columns[j].sum += column_sum;
      columns[j].squares += column_squares;
    }
  }
  for (int i = 0; i < tall; ++i) {
    rows[i].sum += sum[i];
    rows[i].squares += squares[i];
  }
}

}  // namespace
}  // namespace wellgram::WELLGRAM_ISA
