// distance_tile: Euclidean distances of a tile of pairs, from differences, or half their squares.
// to_distances: the same from dot products. sum_cells: what they come to.
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
  constexpr int rows = Tile<T>::rows, columns = Tile<T>::columns, lanes = Lanes<T>::count;
  const auto most = broadcast(largest_square<T>), least = broadcast(1 / largest_square<T>);
  auto all = most == most;
  for (int j = 0; j < columns; ++j)
    for (int i = 0; i < rows; i += lanes) {
      T* cells = tile + j * rows + i;
      const auto both = load(row_squares + i) + column_squares[j];
      const auto squared = both - T(2) * load(cells);
      const auto kept = (squared > kept_share<T> * both) & (both > least) & (both < most);
      all &= kept;
      store(kept ? root(squared) : broadcast(T(-1)), cells);
    }
  bool every = true;
  for (int l = 0; l < lanes; ++l) every &= all[l] != 0;
  return every;
}

template <class T>
double sum_cells(const T* tile, Index row, Index last_row, Index column, Index last_column) {
  constexpr int rows = Tile<T>::rows, lanes = Lanes<T>::count;
  using Doubles = typename Lanes<T>::Doubles;
  typename Lanes<T>::OrderedVector inside[2];
  for (int half = 0; half < 2; ++half)
    for (int l = 0; l < lanes; ++l) {
      const int i = half * lanes + l;
      inside[half][l] = row <= i && i < last_row ? -1 : 0;
    }
  Doubles sums{};
  for (Index j = column; j < last_column; ++j)
    for (int half = 0; half < 2; ++half) {
      const auto cells = load(tile + j * rows + half * lanes);
      sums += __builtin_convertvector(inside[half] ? cells : Vector<T>{}, Doubles);
    }
  double sum = 0;
  for (int l = 0; l < lanes; ++l) sum += sums[l];
  return sum;
}

}  // namespace
}  // namespace wellgram::WELLGRAM_ISA
