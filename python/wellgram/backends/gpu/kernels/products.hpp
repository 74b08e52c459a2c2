// c = a b': the products of rows of a with rows of b.
//
// A block makes 128 x 128 products, of 16 features at a time, each thread 8 x 8 of them in
// registers. A product is one chain of fused multiply-adds in the order of features, so it has the
// same bits wherever in a tile it stands, on every card, and on processors with that instruction.
#pragma once

#include "rows.hpp"

namespace wellgram::gpu {

constexpr int SIDE = 128, DEPTH = 16, EIGHT = 8;

// What is multiplied, and what it is added up in.
template <class In>
struct Sum {
  using type = In;
};
template <>
struct Sum<u16> {
  using type = float;
};
template <>
struct Sum<s8> {
  using type = int;
};

template <class T>
struct Square {
  T cells[EIGHT][EIGHT];
};

// The place in a side of the q-th of a thread's eight: four and four, half a side apart, so that
// threads side by side read 16 bytes side by side.
DEVICE int place_of(int thread, int q) { return q / 4 * (SIDE / 2) + thread * 4 + q % 4; }

// Sixteen features of a thread's products.
template <class T, int padded>
DEVICE void multiply(const T (&left)[DEPTH][padded], const T (&right)[DEPTH][padded], int t,
                     Square<T>& sums) {
  UNROLL for (int k = 0; k < DEPTH; ++k) {
    T one[EIGHT], other[EIGHT];
    UNROLL for (int q = 0; q < EIGHT; ++q) {
      one[q] = left[k][place_of(t / DEPTH, q)];
      other[q] = right[k][place_of(t % DEPTH, q)];
    }
    UNROLL for (int p = 0; p < EIGHT * EIGHT; ++p) sums.cells[p / EIGHT][p % EIGHT] +=
        one[p / EIGHT] * other[p % EIGHT];
  }
}

// Left out are squares with no cell j > i + lag.
template <class In>
KERNEL products(const In* a, i64 m, i64 a_stride, const In* b, i64 n, i64 b_stride, i64 d,
                typename Sum<In>::type* c, i64 c_stride, i64 lag) {
  using T = typename Sum<In>::type;
  constexpr int padded = SIDE + 4;  // what is stored together lies in different banks
  SHARED(T, left[DEPTH][padded]);
  SHARED(T, right[DEPTH][padded]);
  const i64 across = (n + SIDE - 1) / SIDE, down = (m + SIDE - 1) / SIDE;
  for (i64 tile = block_index(); tile < across * down; tile += block_count()) {
    const i64 row = tile / across * SIDE, column = tile % across * SIDE;
    if (column + SIDE - 1 <= row + lag) continue;
    PerThread<Square<T>> sums;
    each([&](int t) {
      for (auto& line : sums[t].cells)
        for (auto& cell : line) cell = 0;
    });
    for (i64 begin = 0; begin < d; begin += DEPTH) {
      each([&](int t) {
        for (int q = t; q < SIDE * DEPTH; q += THREADS) {
          const i64 k = begin + q % DEPTH, i = row + q / DEPTH, j = column + q / DEPTH;
          left[q % DEPTH][q / DEPTH] = i < m && k < d ? widened(a[i * a_stride + k]) : 0;
          right[q % DEPTH][q / DEPTH] = j < n && k < d ? widened(b[j * b_stride + k]) : 0;
        }
      });
      each([&](int t) { multiply(left, right, t, sums[t]); });
    }
    each([&](int t) {
      UNROLL for (int p = 0; p < EIGHT * EIGHT; ++p) {
        const i64 i = row + place_of(t / DEPTH, p / EIGHT);
        const i64 j = column + place_of(t % DEPTH, p % EIGHT);
        if (i < m && j < n) c[i * c_stride + j] = sums[t].cells[p / EIGHT][p % EIGHT];
      }
    });
  }
}

// out[p] = the product i[p], j[p] of a tile.
template <class T>
KERNEL gather(const T* tile, i64 stride, const i64* i, const i64* j, i64 count, T* out) {
  items(count, [&](i64 p) { out[p] = tile[i[p] * stride + j[p]]; });
}

}  // namespace wellgram::gpu
