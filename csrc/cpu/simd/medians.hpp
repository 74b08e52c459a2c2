// Medians of columns that lie side by side: a lane is a column.
#pragma once

#include "cpu/simd/above.hpp"

namespace wellgram::WELLGRAM_ISA {
namespace {

// The values of each column up to a cut: how many, and the nearest to it on either side.
template <class T>
struct Cut {
  Integers<T> count;
  Vector<T> below, above;
};

template <class T>
Cut<T> cut_at(const T* values, Index rows, Vector<T> at) {
  const auto most = broadcast(std::numeric_limits<T>::infinity());
  Cut<T> cut{{}, -most, most};
  for (Index r = 0; r < rows; ++r, values += Tile<T>::rows) {
    const Vector<T> value = load(values);
    const auto under = value <= at;
    cut.count -= under;
    const Vector<T> one = under ? value : -most, other = under ? most : value;
    cut.below = one > cut.below ? one : cut.below;
    cut.above = other < cut.above ? other : cut.above;
  }
  return cut;
}

// Halfway from low to high as integers of their order.
template <class T>
Vector<T> between(Vector<T> low, Vector<T> high) {
  constexpr auto magnitude = std::numeric_limits<Ordered<T>>::max();
  const auto order = [](Vector<T> v) {
    const auto bits = (Integers<T>)(v + T(0));
    return bits < 0 ? bits ^ magnitude : bits;
  };
  const Integers<T> a = order(low), b = order(high), middle = (a & b) + ((a ^ b) >> 1);
  return (Vector<T>)(middle < 0 ? middle ^ magnitude : middle);
}

// The value of rank k of each column, by cuts that close in on it: where it would lie if values
// were even between those known, and every third time halfway by order, so that no distribution
// takes more than three cuts a bit. Both ends are values, or the search would not end at ties.
template <class T>
Vector<T> value_of_rank(const T* values, Index rows, Ordered<T> k, Vector<T> low, Vector<T> high) {
  Integers<T> before{}, up_to = Integers<T>{} + static_cast<Ordered<T>>(rows);
  for (int turn = 0; less(low, high) != 0; turn = (turn + 1) % 3) {
    const auto share = (static_cast<T>(k) + T(0.5) - __builtin_convertvector(before, Vector<T>)) /
                       __builtin_convertvector(up_to - before, Vector<T>);
    Vector<T> at = turn == 2 ? between<T>(low, high) : low + (high - low) * share;
    at = ((at >= low) & (at < high)) ? at : low;  // infinite ends, or none between
    const Cut<T> cut = cut_at(values, rows, at);
    const auto open = low<high, under = cut.count> k;
    low = (open & ~under) ? cut.above : low;
    high = (open & under) ? cut.below : high;
    low = (open & (cut.count == k + 1)) ? cut.below : low;
    high = (open & (cut.count == k)) ? cut.above : high;
    before = under ? before : cut.count;
    up_to = under ? cut.count : up_to;
  }
  return low;
}

// medians[c] for the columns of a tile's height, values[r * tile_rows + c]; NaN where there is one.
template <class T>
void column_medians(const T* values, Index rows, double* medians) {
  constexpr int lanes = Lanes<T>::count;
  const auto k = static_cast<Ordered<T>>((rows - 1) / 2);
  for (int h = 0; h < Tile<T>::rows; h += lanes) {
    Vector<T> least = load(values + h), most = least;
    auto missing = least != least;
    for (Index r = 1; r < rows; ++r) {
      const Vector<T> value = load(values + r * Tile<T>::rows + h);
      least = value < least ? value : least;
      most = value > most ? value : most;
      missing |= value != value;
    }
    const Vector<T> lower = value_of_rank<T>(values + h, rows, k, least, most);
    const Cut<T> cut = cut_at(values + h, rows, lower);
    const Vector<T> upper = cut.count > k + 1 ? lower : cut.above;
    for (int l = 0; l < lanes; ++l) {
      const auto first = static_cast<double>(lower[l]), second = static_cast<double>(upper[l]);
      const double median = rows % 2 == 1 ? first : (first + second) / 2;
      medians[h + l] = missing[l] ? std::numeric_limits<double>::quiet_NaN() : median;
    }
  }
}

}  // namespace
}  // namespace wellgram::WELLGRAM_ISA
