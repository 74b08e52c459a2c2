// distance_tile: Euclidean distances of a tile of pairs, from differences, or half their squares.
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

}  // namespace
}  // namespace wellgram::WELLGRAM_ISA
