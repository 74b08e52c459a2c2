// Counting the cells of a tile above values of their rows: a lane is a row.
#pragma once

#include "cpu/simd/lanes.hpp"

namespace wellgram::WELLGRAM_ISA {
namespace {

template <class T>
using Integers = typename Lanes<T>::OrderedVector;

template <class T>
Integers<T> load_integers(const Ordered<T>* v) {
  Integers<T> out;
  __builtin_memcpy(&out, v, sizeof out);
  return out;
}

template <class T>
void leave_out(T* tile, const Ordered<T>* own, const Ordered<T>* other, Index kinds,
               bool absolute) {
  constexpr int lanes = Lanes<T>::count, rows = Tile<T>::rows, columns = Tile<T>::columns;
  const auto least = broadcast(-std::numeric_limits<T>::infinity());
  for (int j = 0; j < columns; ++j)
    for (int h = 0; h < rows; h += lanes) {
      Vector<T> cells = load(tile + j * rows + h);
      if (absolute) cells = cells < broadcast(T(0)) ? -cells : cells;
      for (Index k = 0; k < kinds; ++k) {
        const auto label = load_integers<T>(own + k * rows + h);
        cells = label == other[k * columns + j] ? least : cells;
      }
      __builtin_memcpy(tile + j * rows + h, &cells, sizeof cells);
    }
}

template <class T>
void count_above(const T* tile, Index columns, const T* values, Index depth, Ordered<T>* counts) {
  constexpr int lanes = Lanes<T>::count, rows = Tile<T>::rows;
  for (Index k = 0; k < depth; ++k)
    for (int h = 0; h < rows; h += lanes) {
      const Vector<T> value = load(values + k * rows + h);
      Ordered<T>* out = counts + k * rows + h;
      Integers<T> count = load_integers<T>(out);
      for (Index j = 0; j < columns; ++j) {
        const auto above = load(tile + j * rows + h) > value;
        count = above ? count + 1 : count;
      }
      __builtin_memcpy(out, &count, sizeof count);
    }
}

template <class T>
void count_column_above(const T* column, const T* values, Index depth, Index* counts) {
  constexpr int lanes = Lanes<T>::count;
  const Vector<T> top = load(column), bottom = load(column + lanes);
  for (Index k = 0; k < depth; ++k) {
    const auto value = broadcast(values[k]);
    counts[k] += __builtin_popcount(less(value, top)) + __builtin_popcount(less(value, bottom));
  }
}

}  // namespace
}  // namespace wellgram::WELLGRAM_ISA
