// The consumers: twins of wellgram/backends/consumers, whose states they share. Each is handed
// tiles, one after another; counts are whole numbers, so the order of threads does not matter.
#pragma once

#include "rows.hpp"
#include "tiles.hpp"

namespace wellgram::gpu {

constexpr i64 HELD = 4096;  // counters that a block holds for itself

// Counts of a kernel: held by each block, where there is room, and added up in the end.
struct Counters {
  u32* held;
  i64 room;
  u64* counts;
  i64 size;

  DEVICE void begin() const {
    each([&](int t) {
      for (i64 c = t; size <= room && c < size; c += THREADS) held[c] = 0;
    });
  }
  DEVICE void count(i64 c) const {
    if (size <= room)
      add(&held[c], 1u);
    else
      add(&counts[c], u64(1));
  }
  DEVICE void end() const {
    each([&](int t) {
      for (i64 c = t; size <= room && c < size; c += THREADS)
        if (held[c]) add(&counts[c], static_cast<u64>(held[c]));
    });
  }
};

// The bin of a value, which does not fall as values rise.
DEVICE i64 bin_of(double value, double low, double scale, i64 bins) {
  const double place = (value - low) * scale, last = static_cast<double>(bins - 1);
  return static_cast<i64>(place >= 0 ? (place < last ? place : last) : 0);
}

template <class T>
KERNEL histogram(TILE(T), double low, double scale, i64 bins, u64* counts) {
  const Tile<T> tile THE_TILE;
  SHARED(u32, held[HELD]);
  const Counters counters{held, HELD, counts, bins};
  counters.begin();
  pairs(tile, [&](int, i64, i64, T value) {
    counters.count(bin_of(static_cast<double>(value), low, scale, bins));
  });
  counters.end();
}

// How many of ascending values, from the first to the last, are below one.
DEVICE i64 count_below(const double* values, i64 first, i64 last, double one) {
  i64 low = first;
  while (low < last) {
    const i64 middle = low + (last - low) / 2;
    if (values[middle] < one)
      low = middle + 1;
    else
      last = middle;
  }
  return low - first;
}

// Keys in ascending order, by which cosines are counted. Of `bins` equal parts of [-1, 1], part b
// begins among the keys at firsts[b]. Of key k are counted, at k, cosines whose first key not less
// it is, and at m + k those equal to it. A cosine at key k is kept where kept[k] is 2, or is 1 and
// it is equal to it.
template <class T>
struct Ranks {
  const double* keys;
  i64 m;
  const i64* firsts;
  i64 bins;
  const u8* kept;
  T* values;
  i64 capacity;
  u64* used;

  DEVICE i64 first_not_below(double value) const {
    const double part = (value + 1) * 0.5 * static_cast<double>(bins);
    const double last = static_cast<double>(bins - 1);
    const i64 b = static_cast<i64>(part >= 0 ? (part < last ? part : last) : 0);
    const i64 begin = firsts[b];
    return begin + count_below(keys, begin, firsts[b + 1], value);
  }
  DEVICE void take(T cosine, const Counters& counters) const {
    const double value = static_cast<double>(cosine);
    if (value != value) return;
    const i64 k = first_not_below(value);
    if (k == m) return;
    const bool equal = keys[k] == value;
    counters.count(k);
    if (equal) counters.count(m + k);
    if (kept[k] == 2 || (kept[k] == 1 && equal)) {
      const u64 place = add(used, u64(1));
      if (place < static_cast<u64>(capacity)) values[place] = cosine;
    }
  }
};

#define RANKS(T)                                                                                   \
  const double *keys, i64 m, const i64 *firsts, i64 bins, const u8 *kept, T *values, i64 capacity, \
      u64 *used, u64 *counts
#define THE_RANKS {keys, m, firsts, bins, kept, values, capacity, used}

template <class T>
KERNEL ranks(TILE(T), RANKS(T)) {
  const Tile<T> tile THE_TILE;
  const Ranks<T> ranks THE_RANKS;
  SHARED(u32, held[HELD]);
  const Counters counters{held, HELD, counts, 2 * m};
  counters.begin();
  pairs(tile, [&](int, i64, i64, T cosine) { ranks.take(cosine, counters); });
  counters.end();
}

// In fixed point, as consumers/moments.py has it.
DEVICE i64 fixed(double value) { return static_cast<i64>(rint(value * 0x1p40)); }

// Counts, sums and sums of squares (3, n): of the rows of a tile, or of its columns.
template <class T>
KERNEL row_moments(TILE(T), i64 n, u64* sums) {
  const Tile<T> tile THE_TILE;
  SHARED(u64, held[3][ROWS]);
  for (i64 first = block_index() * ROWS; first < rows; first += block_count() * ROWS) {
    each([&](int t) {
      if (t < 3 * ROWS) held[t / ROWS][t % ROWS] = 0;
    });
    each([&](int t) {
      const i64 i = first + t / LANES;
      u64 count = 0, sum = 0, squares = 0;
      for (i64 j = t % LANES; i < rows && j < columns; j += LANES) {
        if (!tile.is_pair(i, j)) continue;
        const double value = static_cast<double>(cells[i * stride + j]);
        ++count;
        sum += static_cast<u64>(fixed(value));
        squares += static_cast<u64>(fixed(value * value));
      }
      add(&held[0][t / LANES], count);
      add(&held[1][t / LANES], sum);
      add(&held[2][t / LANES], squares);
    });
    each([&](int t) {
      if (t < 3 * ROWS && first + t % ROWS < rows)
        sums[t / ROWS * n + row + first + t % ROWS] += held[t / ROWS][t % ROWS];
    });
  }
}
template <class T>
KERNEL column_moments(TILE(T), i64 n, u64* sums) {
  const Tile<T> tile THE_TILE;
  items(columns, [&](i64 j) {
    u64 count = 0, sum = 0, squares = 0;
    for (i64 i = 0; i < rows && tile.is_pair(i, j); ++i) {
      const double value = static_cast<double>(cells[i * stride + j]);
      ++count;
      sum += static_cast<u64>(fixed(value));
      squares += static_cast<u64>(fixed(value * value));
    }
    sums[column + j] += count;
    sums[n + column + j] += sum;
    sums[2 * n + column + j] += squares;
  });
}

// Counts, then upper and lower 32 bits of sums and of squares (5, groups), of pairs of one group.
template <class T>
KERNEL within_groups(TILE(T), const i64* codes, const i64* others, i64 groups, u64* sums) {
  const Tile<T> tile THE_TILE;
  pairs(tile, [&](int, i64 i, i64 j, T cosine) {
    const i64 code = codes[row + i];
    if (code < 0 || code != others[column + j]) return;
    const double value = static_cast<double>(cosine);
    const i64 one = fixed(value), square = fixed(value * value);
    add(&sums[code], u64(1));
    add(&sums[groups + code], static_cast<u64>(one >> 32));
    add(&sums[2 * groups + code], static_cast<u64>(one) & 0xffffffff);
    add(&sums[3 * groups + code], static_cast<u64>(square >> 32));
    add(&sums[4 * groups + code], static_cast<u64>(square) & 0xffffffff);
  });
}

// Carry what the lower halves hold above 32 bits, after every tile, of 2^31 pairs at most.
KERNEL carry(u64* sums, i64 groups) {
  items(2 * groups, [&](i64 place) {
    u64* upper = sums + (1 + 2 * (place / groups)) * groups + place % groups;
    u64* lower = upper + groups;
    *upper += *lower >> 32;
    *lower &= 0xffffffff;
  });
}

// Offers a partner to the best k of a line; the better first, among equals the smaller. Empty
// places hold NaN, than which everything is better. Returns whether it was taken.
DEVICE bool offer(double sign, i64 k, i64* partners, double* cosines, i64 partner, double value) {
  const double merit = value * sign;
  i64 place = k;
  while (place > 0) {
    const double held = cosines[place - 1] * sign;
    const bool better = held != held || merit > held;
    if (!better && !(merit == held && partner < partners[place - 1])) break;
    --place;
  }
  if (place == k) return false;
  for (i64 p = k - 1; p > place; --p) {
    cosines[p] = cosines[p - 1];
    partners[p] = partners[p - 1];
  }
  cosines[place] = value;
  partners[place] = partner;
  return true;
}

// The best k partners of each line, a row of the tile or a column of it. A thread has a line; 64
// lines by 64 cells at a time are brought near.
template <class T>
KERNEL nearest(TILE(T), i64 by_columns, double sign, i64 k, i64* partners, double* cosines) {
  constexpr i64 near = 64;
  const Tile<T> tile THE_TILE;
  SHARED(T, strip[near][near + 1]);
  PerThread<double> worst;
  const i64 lines = by_columns ? columns : rows, length = by_columns ? rows : columns;
  const i64 line_from = by_columns ? column : row, partner_from = by_columns ? row : column;
  for (i64 first = block_index() * near; first < lines; first += block_count() * near) {
    each([&](int t) {
      if (t < near && first + t < lines)
        worst[t] = cosines[(line_from + first + t) * k + k - 1] * sign;
    });
    for (i64 begin = 0; begin < length; begin += near) {
      each([&](int t) {
        for (i64 q = t; q < near * near; q += THREADS) {
          const i64 line = by_columns ? q % near : q / near,
                    cell = by_columns ? q / near : q % near;
          if (first + line >= lines || begin + cell >= length) continue;
          const i64 i = by_columns ? begin + cell : first + line;
          const i64 j = by_columns ? first + line : begin + cell;
          strip[line][cell] = cells[i * stride + j];
        }
      });
      each([&](int t) {
        if (t >= near || first + t >= lines) return;
        i64* own = partners + (line_from + first + t) * k;
        double* best = cosines + (line_from + first + t) * k;
        for (i64 cell = 0; cell < near && begin + cell < length; ++cell) {
          const i64 i = by_columns ? begin + cell : first + t;
          const i64 j = by_columns ? first + t : begin + cell;
          const double value = static_cast<double>(strip[t][cell]), merit = value * sign;
          if (!tile.is_pair(i, j) || value != value || merit < worst[t]) continue;
          if (offer(sign, k, own, best, partner_from + begin + cell, value))
            worst[t] = best[k - 1] * sign;
        }
      });
    }
  }
}

// The distance of two rows from differences, of values of any size.
template <class T>
DEVICE double apart(const T* a, const T* b, i64 d) {
  double sum = 0, largest = 0;
  for (i64 k = 0; k < d; ++k) {
    const double difference = static_cast<double>(a[k]) - static_cast<double>(b[k]);
    const double size = difference < 0 ? -difference : difference;
    sum += difference * difference;
    largest = size > largest ? size : largest;
  }
  if ((sum > 0x1p-900 && sum < 0x1p900) || largest == 0) return sqrt(sum);
  if (largest - largest != 0) return largest;  // it is infinite
  const int exponent = exponent_of(largest);
  sum = 0;
  for (i64 k = 0; k < d; ++k) {
    const double part = scaled(static_cast<double>(a[k]) - static_cast<double>(b[k]), -exponent);
    sum += part * part;
  }
  return scaled(sqrt(sum), exponent);
}

// sums[row + i] += the distances of row i to those of the tile's columns, by the squared lengths
// of both and the products. A pair whose squares nearly cancel, or leave the range of doubles, is
// taken from the differences of the rows x and y.
template <class T>
KERNEL distances(TILE(double), const double* lengths, const double* other_lengths, const T* x,
                 i64 x_stride, const T* y, i64 y_stride, i64 d, double* sums) {
  const Tile<double> tile THE_TILE;
  SHARED(double, parts[ROWS][LANES]);
  for (i64 first = block_index() * ROWS; first < rows; first += block_count() * ROWS) {
    each([&](int t) {
      const i64 i = first + t / LANES;
      double sum = 0;
      for (i64 j = t % LANES; i < rows && j < columns; j += LANES) {
        if (!tile.is_pair(i, j)) continue;
        const double both = lengths[row + i] + other_lengths[column + j];
        const double square = both - 2 * cells[i * stride + j];
        const bool kept = square > 0x1p-16 * both && both > 0x1p-900 && both < 0x1p900;
        sum +=
            kept ? sqrt(square) : apart(x + (row + i) * x_stride, y + (column + j) * y_stride, d);
      }
      parts[t / LANES][t % LANES] = sum;
    });
    sum_lanes(parts);
    each([&](int t) {
      if (t < ROWS && first + t < rows) sums[row + first + t] += parts[t][0];
    });
  }
}

// The cells of each row that are above so many of its values are counted at the last of those. Row
// i has values starts[i] to starts[i + 1] - 1. Compared are rows that have no label in common:
// those of x are own (kinds, n), those of y other (kinds, m).
struct Above {
  const i64* starts;
  const double* values;
  const int *own, *other;
  i64 n, m, kinds, absolute;
  u64* counts;

  DEVICE bool compares(i64 i, i64 j) const {
    if (starts[i] == starts[i + 1]) return false;
    for (i64 kind = 0; kind < kinds; ++kind)
      if (own[kind * n + i] == other[kind * m + j]) return false;
    return true;
  }
  DEVICE i64 above(i64 i, double value) const {
    return count_below(values, starts[i], starts[i + 1], value);
  }
  DEVICE void count(i64 i, i64 many) const {
    if (many > 0) add(&counts[starts[i] + many - 1], u64(1));
  }
  DEVICE void take(i64 i, double value) const {
    count(i, above(i, absolute && value < 0 ? -value : value));
  }
};

#define ABOVE                                                                              \
  const i64 *starts, const double *values, const int *own, i64 n, const int *other, i64 m, \
      i64 kinds, i64 absolute, u64 *counts
#define THE_ABOVE {starts, values, own, other, n, m, kinds, absolute, counts}

template <class T>
KERNEL count_above(TILE(T), ABOVE) {
  const Tile<T> tile THE_TILE;
  const Above above THE_ABOVE;
  pairs(tile, [&](int, i64 i, i64 j, T cell) {
    if (above.compares(row + i, column + j)) above.take(row + i, static_cast<double>(cell));
  });
}

}  // namespace wellgram::gpu
