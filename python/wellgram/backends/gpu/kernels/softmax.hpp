// The loss of linear scores, between the product that makes them and the one that takes its slopes.
#pragma once

#include "grid.hpp"

namespace wellgram::gpu {

// out = [x, 1], its padding zero, and columns (d + 1, n) its transpose.
template <class T>
KERNEL with_ones(const T* x, i64 n, i64 d, i64 stride, T* out, i64 out_stride, T* columns,
                 i64 columns_stride) {
  items(n * out_stride, [&](i64 place) {
    const i64 i = place / out_stride, k = place % out_stride;
    const T value = k < d ? x[i * stride + k] : static_cast<T>(k == d);
    out[place] = value;
    if (k <= d) columns[k * columns_stride + i] = value;
  });
}

// Of scores of rows from `row` on: losses[row + i] = log(sum of exp(scores[i])) - the score of its
// own class, and slopes (classes, n) by the scores. Sums are in float64, in an order that is always
// the same.
template <class T>
KERNEL softmax_slopes(const T* scores, i64 n, i64 classes, i64 stride, i64 row, const i64* codes,
                      double* losses, T* slopes, i64 slopes_stride) {
  SHARED(double, parts[ROWS][LANES]);
  SHARED(T, largest[ROWS][LANES]);
  SHARED(T, share[ROWS]);
  for (i64 first = block_index() * ROWS; first < n; first += block_count() * ROWS) {
    each([&](int t) {
      const i64 i = first + t / LANES;
      T most = static_cast<T>(MINUS_INFINITY);
      for (i64 c = t % LANES; i < n && c < classes; c += LANES) {
        const T score = scores[i * stride + c];
        most = score > most ? score : most;
      }
      largest[t / LANES][t % LANES] = most;
    });
    for (int half = LANES / 2; half > 0; half /= 2)
      each([&](int t) {
        const int r = t / LANES, lane = t % LANES;
        if (lane < half && largest[r][lane + half] > largest[r][lane])
          largest[r][lane] = largest[r][lane + half];
      });
    each([&](int t) {
      const i64 i = first + t / LANES;
      double sum = 0;
      for (i64 c = t % LANES; i < n && c < classes; c += LANES)
        sum += static_cast<double>(exp(scores[i * stride + c] - largest[t / LANES][0]));
      parts[t / LANES][t % LANES] = sum;
    });
    sum_lanes(parts);
    each([&](int t) {
      const i64 i = first + t;
      if (t >= ROWS || i >= n) return;
      const double own = static_cast<double>(scores[i * stride + codes[row + i]] - largest[t][0]);
      losses[row + i] = log(parts[t][0]) - own;
      share[t] = static_cast<T>(1 / parts[t][0]);
    });
    // A row's neighbours beside it, since they lie so in the slopes.
    each([&](int t) {
      const int r = t % ROWS;
      const i64 i = first + r;
      for (i64 c = t / ROWS; i < n && c < classes; c += LANES)
        slopes[c * slopes_stride + i] = exp(scores[i * stride + c] - largest[r][0]) * share[r] -
                                        static_cast<T>(c == codes[row + i]);
    });
  }
}

// sums (rows, columns) += cells
template <class T>
KERNEL add_cells(const T* cells, i64 rows, i64 columns, i64 stride, double* sums) {
  items(rows * columns, [&](i64 place) {
    sums[place] += static_cast<double>(cells[place / columns * stride + place % columns]);
  });
}

}  // namespace wellgram::gpu
