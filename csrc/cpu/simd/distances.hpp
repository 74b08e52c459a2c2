// distance_tile: Euclidean distances of a tile of pairs, from differences, or half their squares.
// to_distances: the same from dot products.
#pragma once

#include "cpu/simd/lanes.hpp"

namespace wellgram::WELLGRAM_ISA {
namespace {

// 3 flops a feature and pair, on registers.
template <class T>
void distance_tile(const T* a, const T* b, Index depth, bool half_squares, T* tile) {
  constexpr int rows = Tile<T>::rows, columns = Tile<T>::columns;
  Vector<T> top[columns] = {}, bottom[columns] = {};
  for (Index k = 0; k < depth; ++k) {
    const auto* vectors = reinterpret_cast<const Vector<T>*>(a + k * rows);
    const Vector<T> a0 = vectors[0], a1 = vectors[1];
    const T* values = b + k * columns;
#pragma GCC unroll 16
    for (int j = 0; j < columns; ++j) {
      const Vector<T> apart0 = a0 - values[j], apart1 = a1 - values[j];
      top[j] += apart0 * apart0;
      bottom[j] += apart1 * apart1;
    }
  }
  store_tile(top, bottom, tile);
  for (int c = 0; c < rows * columns; ++c) {
    const T half = tile[c] * T(0.5);
    tile[c] = !half_squares ? root(tile[c]) : half < T(2) ? half : T(2);
  }
}

// What is left of two squared lengths where digits enough are left, and how far these may be
// from 1.
template <class T>
constexpr T kept_share = sizeof(T) == 4 ? T(0x1p-4) : T(0x1p-16);
template <class T>
constexpr T largest_square = sizeof(T) == 4 ? T(0x1p100) : T(0x1p900);

template <class T>
bool to_distances(T* tile, const T* row_squares, const T* column_squares) {
  constexpr int rows = Tile<T>::rows, columns = Tile<T>::columns;
  bool all = true;
  for (int j = 0; j < columns; ++j)
    for (int i = 0; i < rows; ++i) {
      const T both = row_squares[i] + column_squares[j];
      const T squared = both - 2 * tile[j * rows + i];
      const bool kept = (squared > kept_share<T> * both) &
                        (both > 1 / largest_square<T>)&(both < largest_square<T>);
      all &= kept;
      tile[j * rows + i] = kept ? root(squared) : T(-1);
    }
  return all;
}

}  // namespace
}  // namespace wellgram::WELLGRAM_ISA
