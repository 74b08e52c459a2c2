// A screen: products of whole numbers, exact, that are near the cosines of a tile by a proven bound
// (../screened_rows.py). Consumers take in the cells that the bound decides, and list the others;
// their cosines are made by the chains of `products`, pair by pair.
#pragma once

#include "consumers.hpp"
#include "products.hpp"

namespace wellgram::gpu {

constexpr i64 LARGEST_WHOLE = 127 * 256 + 127;

// x[i] = unit (256 high + low), about: out[i] = high, low, high, of `part` bytes each, padded with
// zeros. lengths (3, n): those of the row, of what was rounded away, and of low.
KERNEL quantise(const float* x, i64 n, i64 d, i64 stride, s8* out, i64 out_stride, i64 part,
                float* units, double* lengths) {
  SHARED(double, sums[ROWS][LANES]);
  SHARED(double, others[ROWS][LANES]);
  SHARED(float, scales[ROWS]);
  for (i64 first = block_index() * ROWS; first < n; first += block_count() * ROWS) {
    each([&](int t) {
      const i64 i = first + t / LANES;
      double sum = 0, most = 0;
      for (i64 k = t % LANES; i < n && k < d; k += LANES) {
        const double value = static_cast<double>(x[i * stride + k]);
        const double size = value < 0 ? -value : value;
        sum += value * value;
        most = size > most ? size : most;
      }
      sums[t / LANES][t % LANES] = sum;
      others[t / LANES][t % LANES] = most;
    });
    sum_lanes(sums);
    each([&](int t) {
      const int r = t;
      if (r >= ROWS || first + r >= n) return;
      double most = 0x1p-60;  // so that the scale is finite
      for (int lane = 0; lane < LANES; ++lane)
        most = others[r][lane] > most ? others[r][lane] : most;
      // A float, so that its product with a value is exact in float64.
      scales[r] = static_cast<float>(static_cast<double>(LARGEST_WHOLE) / most * (1 - 0x1p-22));
      units[first + r] = static_cast<float>(1 / static_cast<double>(scales[r]));
      lengths[first + r] = sqrt(sums[r][0]);
    });
    each([&](int t) {
      const int r = t / LANES;
      const i64 i = first + r;
      double away = 0, lows = 0;
      for (i64 k = t % LANES; i < n && k < part; k += LANES) {
        const double scaled_value =
            k < d ? static_cast<double>(x[i * stride + k]) * static_cast<double>(scales[r]) : 0;
        const double whole = rint(scaled_value);
        // A row with a NaN or an Inf has no screen, but whole numbers.
        const int q = whole == whole ? static_cast<int>(whole) : 0, high = (q + 128) >> 8,
                  low = q - 256 * high;
        s8* row = out + i * out_stride;
        row[k] = row[2 * part + k] = static_cast<s8>(high);
        row[part + k] = static_cast<s8>(low);
        away += (scaled_value - whole) * (scaled_value - whole);
        lows += static_cast<double>(low * low);
      }
      sums[r][t % LANES] = away;
      others[r][t % LANES] = lows;
    });
    sum_lanes(sums);
    sum_lanes(others);
    each([&](int t) {
      if (t >= ROWS || first + t >= n) return;
      const double scale = static_cast<double>(scales[t]);
      lengths[n + first + t] = sqrt(sums[t][0]) / scale;
      lengths[2 * n + first + t] = sqrt(others[t][0]) / scale;
    });
  }
}

// What is known of a row: the unit of its whole numbers, its share of a bound, and the length of
// what it leaves out of products.
struct RowBound {
  float unit, slack, low;
};
struct RowBounds {
  const float *units, *slacks, *lows;
  DEVICE RowBound operator[](i64 i) const { return {units[i], slacks[i], lows[i]}; }
};

// A cosine lies within `bound` of `value`.
struct Near {
  float value, bound;
  DEVICE double least() const { return static_cast<double>(value) - static_cast<double>(bound); }
  DEVICE double most() const { return static_cast<double>(value) + static_cast<double>(bound); }
};

// A tile of a screen: sums of high times high, and of high times low and low times high.
struct ScreenedTile {
  const int *high, *cross;
  Tile<int> place;
  RowBounds left, right;

  DEVICE Near near(const RowBound& row, i64 i, i64 j) const {
    const RowBound column = right[j];
    const i64 cell = i * place.stride + j;
    const float sum = 256 * static_cast<float>(high[cell]) + static_cast<float>(cross[cell]);
    return {sum * (256 * row.unit) * column.unit, row.slack + column.slack + row.low * column.low};
  }
};

#define SCREENED_TILE                                                                        \
  const int *high, const int *cross, i64 rows, i64 columns, i64 stride, i64 row, i64 column, \
      i64 symmetric, const float *units, const float *slacks, const float *lows,             \
      const float *other_units, const float *other_slacks, const float *other_lows
#define THE_SCREENED_TILE                                                                        \
  {                                                                                              \
    high, cross, {high, rows, columns, stride, row, column, symmetric}, {units, slacks, lows}, { \
      other_units, other_slacks, other_lows                                                      \
    }                                                                                            \
  }

// work(i, j, near) for every pair of a tile: a block takes eight rows at a time.
template <class F>
DEVICE void near_pairs(const ScreenedTile& tile, F work) {
  each([&](int t) {
    for (i64 first = block_index() * ROWS; first < tile.place.rows; first += block_count() * ROWS) {
      const i64 i = first + t / LANES;
      if (i >= tile.place.rows) continue;
      const RowBound bound = tile.left[i];
      for (i64 j = t % LANES; j < tile.place.columns; j += LANES)
        if (tile.place.is_pair(i, j)) work(i, j, tile.near(bound, i, j));
    }
  });
}

// Cells in doubt: their places in a tile, how many are listed, and how many were before.
struct Doubts {
  u32* places;
  u64* listed;

  DEVICE void list(i64 place) const { places[add(listed, u64(1))] = static_cast<u32>(place); }
};

KERNEL forget_doubts(u64* listed) {
  each([&](int t) {
    if (block_index() != 0 || t != 0) return;
    listed[1] += listed[0];
    listed[0] = 0;
  });
}

// take(n, i, j, cosine) of the n-th cell in doubt of rows x and y: a chain of a thread, as
// `products` makes it, from rows that a block brings near sixteen features at a time.
#define CHAINS                                                                                     \
  const u32 *places, const u64 *listed, i64 columns, const float *x, i64 x_stride, const float *y, \
      i64 y_stride, i64 d
#define THE_CHAINS places, listed, columns, x, x_stride, y, y_stride, d
template <class F>
DEVICE void chains(CHAINS, F take) {
  constexpr int wide = Pack<float>::size, parts = DEPTH / wide;
  constexpr int padded = THREADS + 2;  // what is stored together lies in different banks
  SHARED(float, left[DEPTH][padded]);
  SHARED(float, right[DEPTH][padded]);
  SHARED(u32, lines[2][THREADS]);
  const i64 count = static_cast<i64>(listed[0]);
  for (i64 first = block_index() * THREADS; first < count; first += block_count() * THREADS) {
    PerThread<float> sum;
    each([&](int t) {
      const i64 place = first + t < count ? places[first + t] : 0;
      lines[0][t] = static_cast<u32>(place / columns);
      lines[1][t] = static_cast<u32>(place % columns);
      sum[t] = 0;
    });
    for (i64 begin = 0; begin < d; begin += DEPTH) {
      each([&](int t) {
        for (int q = t; q < THREADS * parts; q += THREADS) {
          const int pair = q / parts, k = q % parts * wide;
          Pack<float> x_part{}, y_part{};
          if (begin + k < d) {
            x_part = packs(x + lines[0][pair] * x_stride + begin + k)[0];
            y_part = packs(y + lines[1][pair] * y_stride + begin + k)[0];
          }
          UNROLL for (int c = 0; c < wide; ++c) {
            left[k + c][pair] = x_part.values[c];
            right[k + c][pair] = y_part.values[c];
          }
        }
      });
      each([&](int t) {
        UNROLL for (int k = 0; k < DEPTH; ++k) sum[t] += left[k][t] * right[k][t];
      });
    }
    each([&](int t) {
      if (first + t < count) take(first + t, lines[0][t], lines[1][t], sum[t]);
    });
  }
}

constexpr i64 HELD_BESIDE = 1024;  // counters of a block that holds rows too

// A cosine is taken in where no key lies within its bound, but between the bounds of a bracket.
KERNEL sift_ranks(SCREENED_TILE, RANKS(float), u32* places, u64* listed) {
  const ScreenedTile tile THE_SCREENED_TILE;
  const Ranks<float> ranks THE_RANKS;
  const Doubts doubts{places, listed};
  SHARED(u32, held[HELD]);
  const Counters counters{held, HELD, counts, 2 * m};
  counters.begin();
  near_pairs(tile, [&](i64 i, i64 j, const Near& near) {
    const i64 k = ranks.first_not_below(near.least());
    if (k == m) return;
    if (keys[k] > near.most() && kept[k] != 2)
      counters.count(k);
    else
      doubts.list(i * columns + j);
  });
  counters.end();
}
KERNEL decide_ranks(CHAINS, RANKS(float)) {
  const Ranks<float> ranks THE_RANKS;
  SHARED(u32, held[HELD_BESIDE]);
  const Counters counters{held, HELD_BESIDE, counts, 2 * m};
  counters.begin();
  chains(THE_CHAINS, [&](i64, i64, i64, float cosine) { ranks.take(cosine, counters); });
  counters.end();
}

// A cosine is taken in where all that it may be lies in one bin.
KERNEL sift_histogram(SCREENED_TILE, double low, double scale, i64 bins, u64* counts, u32* places,
                      u64* listed) {
  const ScreenedTile tile THE_SCREENED_TILE;
  const Doubts doubts{places, listed};
  SHARED(u32, held[HELD]);
  const Counters counters{held, HELD, counts, bins};
  counters.begin();
  near_pairs(tile, [&](i64 i, i64 j, const Near& near) {
    const i64 bin = bin_of(near.least(), low, scale, bins);
    if (bin == bin_of(near.most(), low, scale, bins))
      counters.count(bin);
    else
      doubts.list(i * columns + j);
  });
  counters.end();
}
KERNEL decide_histogram(CHAINS, double low, double scale, i64 bins, u64* counts) {
  SHARED(u32, held[HELD_BESIDE]);
  const Counters counters{held, HELD_BESIDE, counts, bins};
  counters.begin();
  chains(THE_CHAINS, [&](i64, i64, i64, float cosine) {
    counters.count(bin_of(static_cast<double>(cosine), low, scale, bins));
  });
  counters.end();
}

// A cosine is taken in where all that it may be is above as many of the row's values.
KERNEL sift_above(SCREENED_TILE, ABOVE, u32* places, u64* listed) {
  const ScreenedTile tile THE_SCREENED_TILE;
  const Above above THE_ABOVE;
  const Doubts doubts{places, listed};
  near_pairs(tile, [&](i64 i, i64 j, const Near& near) {
    if (!above.compares(row + i, column + j)) return;
    double least = near.least(), most = near.most();
    if (absolute && least < 0) {
      most = most > -least ? most : -least;
      least = near.most() < 0 ? -near.most() : 0;
    }
    const i64 many = above.above(row + i, least);
    if (many == above.above(row + i, most))
      above.count(row + i, many);
    else
      doubts.list(i * columns + j);
  });
}
KERNEL decide_above(CHAINS, i64 row, ABOVE) {
  const Above above THE_ABOVE;
  chains(THE_CHAINS,
         [&](i64, i64 i, i64, float cosine) { above.take(row + i, static_cast<double>(cosine)); });
}

// What a screen says of a tile: values and bounds (rows, columns), for tests.
KERNEL screened_cells(SCREENED_TILE, float* values, float* bounds) {
  const ScreenedTile tile THE_SCREENED_TILE;
  near_pairs(tile, [&](i64 i, i64 j, const Near& near) {
    values[i * columns + j] = near.value;
    bounds[i * columns + j] = near.bound;
  });
}

}  // namespace wellgram::gpu
