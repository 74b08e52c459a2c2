// Similarities of a tile with the bits that NumPy gives them for a single pair of rows.
//
// NumPy adds up a row of n numbers in eight sums, which take turns, and these in a tree; a row of
// more than 128 in two halves, each a multiple of eight but for the end (pairwise_sum in
// loops_utils.h.src). A product and its sum are rounded each by itself: this file is compiled
// without contraction to fused multiply-add.
#include "cpu/kernels.hpp"
#include "cpu/simd/lanes.hpp"

namespace wellgram::WELLGRAM_ISA {
namespace {

constexpr Index sums = 8, most_in_turn = 128;

struct Products {
  template <class V, class T>
  static V term(V a, T b) {
    return a * b;
  }
  template <class V>
  static V joined(V a, V b) {
    return a + b;
  }
};

struct SquaredDifferences : Products {
  template <class V, class T>
  static V term(V a, T b) {
    const V apart = a - b;
    return apart * apart;
  }
};

struct Differences : Products {
  template <class V, class T>
  static V term(V a, T b) {
    const V apart = a - b;
    return apart < V{} ? -apart : apart;
  }
};

struct LargestDifference : Differences {
  template <class V>
  static V joined(V a, V b) {
    return a < b ? b : a;
  }
};

// A tile of sums, in memory: registers hold the one that grows.
template <class T>
struct TileSums {
  Vector<T> cells[2 * Tile<T>::columns];
};

// out = the sum of the terms at first, first + step, ... before `end`.
template <class Terms, class T>
void add_in_turn(const T* a, const T* b, Index first, Index end, Index step, TileSums<T>& out) {
  constexpr Index rows = Tile<T>::rows;
  constexpr int columns = Tile<T>::columns;
  Vector<T> top[columns], bottom[columns];
  const auto* vectors = reinterpret_cast<const Vector<T>*>(a + first * rows);
  const T* values = b + first * columns;
#pragma GCC unroll 16
  for (int j = 0; j < columns; ++j) {
    top[j] = Terms::term(vectors[0], values[j]);
    bottom[j] = Terms::term(vectors[1], values[j]);
  }
  for (Index k = first + step; k < end; k += step) {
    vectors = reinterpret_cast<const Vector<T>*>(a + k * rows);
    values = b + k * columns;
    const Vector<T> a0 = vectors[0], a1 = vectors[1];
#pragma GCC unroll 16
    for (int j = 0; j < columns; ++j) {
      top[j] = Terms::joined(top[j], Terms::term(a0, values[j]));
      bottom[j] = Terms::joined(bottom[j], Terms::term(a1, values[j]));
    }
  }
#pragma GCC unroll 16
  for (int j = 0; j < columns; ++j) {
    out.cells[2 * j] = top[j];
    out.cells[2 * j + 1] = bottom[j];
  }
}

template <class Terms, class T>
void join(TileSums<T>& sum, const TileSums<T>& other) {
  for (int c = 0; c < 2 * Tile<T>::columns; ++c)
    sum.cells[c] = Terms::joined(sum.cells[c], other.cells[c]);
}

// out = the sums from `first` on of as many of the eight as `count`, a power of two, in a tree.
template <class Terms, class T>
void add_tree(const T* a, const T* b, Index first, Index count, Index end, TileSums<T>& out) {
  if (count == 1) {
    add_in_turn<Terms>(a, b, first, end, sums, out);
    return;
  }
  TileSums<T> right;
  add_tree<Terms>(a, b, first, count / 2, end, out);
  add_tree<Terms>(a, b, first + count / 2, count / 2, end, right);
  join<Terms>(out, right);
}

template <class Terms, class T>
void add_pairwise(const T* a, const T* b, Index count, TileSums<T>& out) {
  constexpr Index rows = Tile<T>::rows, columns = Tile<T>::columns;
  if (count < sums) {
    add_in_turn<Terms>(a, b, 0, count, 1, out);
    return;
  }
  TileSums<T> other;
  if (count <= most_in_turn) {
    const Index whole = count - count % sums;
    add_tree<Terms>(a, b, 0, sums, whole, out);
    for (Index k = whole; k < count; ++k) {
      add_in_turn<Terms>(a, b, k, k + 1, 1, other);
      join<Terms>(out, other);
    }
    return;
  }
  const Index half = count / 2 - count / 2 % sums;
  add_pairwise<Terms>(a, b, half, out);
  add_pairwise<Terms>(a + half * rows, b + half * columns, count - half, other);
  join<Terms>(out, other);
}

template <class T>
void make_tile(RowSimilarity kind, const T* a, const T* b, Index depth, const T* row_squares,
               const T* column_squares, T* tile) {
  constexpr int rows = Tile<T>::rows, columns = Tile<T>::columns;
  TileSums<T> out;
  switch (kind) {
    case RowSimilarity::product:
    case RowSimilarity::correlation:
      add_pairwise<Products>(a, b, depth, out);
      break;
    case RowSimilarity::euclidean:
      add_pairwise<SquaredDifferences>(a, b, depth, out);
      break;
    case RowSimilarity::manhattan:
      add_pairwise<Differences>(a, b, depth, out);
      break;
    case RowSimilarity::chebyshev:
      add_pairwise<LargestDifference>(a, b, depth, out);
      break;
  }
  __builtin_memcpy(tile, &out, sizeof out);
  if (kind == RowSimilarity::product) return;
  for (int j = 0; j < columns; ++j)
    for (int i = 0; i < rows; ++i) {
      T& cell = tile[j * rows + i];
      if (kind == RowSimilarity::correlation)
        cell = cell / root(row_squares[i] * column_squares[j]);
      else
        cell = T(1) / (T(1) + (kind == RowSimilarity::euclidean ? root(cell) : cell));
    }
}

}  // namespace

void numpy_tile(RowSimilarity kind, const float* a, const float* b, Index depth,
                const float* row_squares, const float* column_squares, float* tile) {
  make_tile(kind, a, b, depth, row_squares, column_squares, tile);
}

void numpy_tile(RowSimilarity kind, const double* a, const double* b, Index depth,
                const double* row_squares, const double* column_squares, double* tile) {
  make_tile(kind, a, b, depth, row_squares, column_squares, tile);
}

}  // namespace wellgram::WELLGRAM_ISA
