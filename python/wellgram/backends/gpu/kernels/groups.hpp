// Sums, squares and medians of the rows of groups. Rows are added in the order of an index, in runs
// of one group each, so that the result does not depend on the card.
#pragma once

#include "grid.hpp"

namespace wellgram::gpu {

// partial[r] = the sum of rows index[starts[r]] to index[starts[r + 1] - 1]; of their squared
// deviations from means[group[r]] where means is not null. A thread adds up 16 bytes of columns.
template <class T>
KERNEL sum_runs(const T* x, i64 stride, i64 d, const i64* index, const i64* starts, i64 runs,
                const double* means, const i64* group, double* partial) {
  constexpr int wide = Pack<T>::size;
  const i64 across = (d + wide - 1) / wide, strips = (across + THREADS - 1) / THREADS;
  for (i64 b = block_index(); b < runs * strips; b += block_count()) {
    const i64 run = b / strips;
    each([&](int t) {
      const i64 p = b % strips * THREADS + t;
      if (p >= across) return;
      double sum[wide] = {}, mean[wide] = {};
      if (means)
        for (int c = 0; c < wide; ++c)
          mean[c] = p * wide + c < d ? means[group[run] * d + p * wide + c] : 0;
      for (i64 q = starts[run]; q < starts[run + 1]; ++q) {
        const Pack<T> part = packs(x + index[q] * stride)[p];
        for (int c = 0; c < wide; ++c) {
          const double value = part.values[c], apart = value - mean[c];
          sum[c] += means ? apart * apart : value;
        }
      }
      for (int c = 0; c < wide; ++c)
        if (p * wide + c < d) partial[run * d + p * wide + c] = sum[c];
    });
  }
}

// sums[g] += the partial sums of runs first[g] to first[g + 1] - 1, in turn.
KERNEL add_runs(const double* partial, i64 d, const i64* first, i64 groups, double* sums) {
  items(groups * d, [&](i64 place) {
    const i64 g = place / d, k = place % d;
    double sum = 0;
    for (i64 run = first[g]; run < first[g + 1]; ++run) sum += partial[run * d + k];
    sums[place] += sum;
  });
}

// Numbers as whole numbers in the same order.
DEVICE u64 key_of(double value) {
  const u64 bits = as_bits(value), sign = u64(1) << 63;
  return bits & sign ? ~bits : bits | sign;
}
DEVICE u32 key_of(float value) {
  const u32 bits = as_bits(value), sign = u32(1) << 31;
  return bits & sign ? ~bits : bits | sign;
}
DEVICE double of_key(u64 key) {
  const u64 sign = u64(1) << 63;
  return as_double(key & sign ? key ^ sign : ~key);
}
DEVICE double of_key(u32 key) {
  const u32 sign = u32(1) << 31;
  return static_cast<double>(as_float(key & sign ? key ^ sign : ~key));
}

// The median of each column of each group, by bisection of the bits of its keys: of n values,
// ascending from 0, those at (n - 1) / 2 and n / 2, or their mean. NaN where one is NaN or n is 0.
template <class T>
KERNEL group_medians(const T* x, i64 stride, i64 d, const i64* index, const i64* starts, i64 groups,
                     double* medians) {
  using Key = decltype(key_of(T()));
  const i64 strips = (d + THREADS - 1) / THREADS;
  for (i64 b = block_index(); b < groups * strips; b += block_count())
    each([&](int t) {
      const i64 g = b / strips, k = b % strips * THREADS + t;
      if (k >= d) return;
      const i64 begin = starts[g], end = starts[g + 1], n = end - begin;
      bool bad = n == 0;
      for (i64 q = begin; q < end; ++q) {
        const T value = x[index[q] * stride + k];
        bad |= value != value;
      }
      if (bad) {
        medians[g * d + k] = NOT_A_NUMBER;
        return;
      }
      Key key = 0;  // the largest of which no more than (n - 1) / 2 are less
      for (Key bit = Key(1) << (8 * sizeof(Key) - 1); bit != 0; bit >>= 1) {
        i64 less = 0;
        for (i64 q = begin; q < end; ++q) less += key_of(x[index[q] * stride + k]) < (key | bit);
        if (less <= (n - 1) / 2) key |= bit;
      }
      i64 up_to = 0;
      Key next = ~Key(0);
      for (i64 q = begin; q < end; ++q) {
        const Key one = key_of(x[index[q] * stride + k]);
        up_to += one <= key;
        if (one > key && one < next) next = one;
      }
      const double low = of_key(key);
      medians[g * d + k] = up_to > n / 2 ? low : (low + of_key(next)) / 2;
    });
}

}  // namespace wellgram::gpu
