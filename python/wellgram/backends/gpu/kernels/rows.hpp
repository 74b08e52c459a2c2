// Rows one at a time: faults, lengths, types, and what maps them.
#pragma once

#include "grid.hpp"

namespace wellgram::gpu {

// Numbers of 16 bits, as what they are: bfloat16 is the upper half of a float.
struct Half {
  u16 bits;
};
DEVICE float widened(Half half) {
  const u32 sign = static_cast<u32>(half.bits & 0x8000) << 16, size = half.bits & 0x7fff;
  if (size >= 0x7c00) return as_float(sign | 0x7f800000 | (size & 0x3ff) << 13);
  // Shifted into a float's place it is 2^112 times too small; that holds for subnormals too.
  return as_float(sign | as_bits(as_float(size << 13) * 0x1p112f));
}
DEVICE float widened(u16 bits) { return as_float(static_cast<u32>(bits) << 16); }
DEVICE int widened(s8 value) { return value; }
DEVICE float widened(float value) { return value; }
DEVICE double widened(double value) { return value; }

// out[i, k] = x at i * row_step + k * column_step; its padding is zero.
template <class In, class Out>
KERNEL copy_rows(const In* x, i64 n, i64 d, i64 row_step, i64 column_step, Out* out,
                 i64 out_stride) {
  items(n * out_stride, [&](i64 place) {
    const i64 i = place / out_stride, k = place % out_stride;
    out[place] = k < d ? widened(x[i * row_step + k * column_step]) : 0;
  });
}

// faults[i] = 1 for a row with a NaN or an Inf, 2 for a row of zeros, else 0.
template <class T>
KERNEL row_faults(const T* x, i64 n, i64 d, i64 stride, u8* faults) {
  SHARED(u32, bad[ROWS]);
  SHARED(u32, any[ROWS]);
  for (i64 first = block_index() * ROWS; first < n; first += block_count() * ROWS) {
    each([&](int t) {
      if (t < ROWS) bad[t] = any[t] = 0;
    });
    each([&](int t) {
      const i64 i = first + t / LANES;
      bool wrong = false, nonzero = false;
      for (i64 p = t % LANES; i < n && p * Pack<T>::size < d; p += LANES) {
        const Pack<T> part = packs(x + i * stride)[p];
        for (int c = 0; c < Pack<T>::size; ++c) {
          const T value = part.values[c];
          wrong |= !(value - value == 0);  // of a NaN or an Inf it is NaN
          nonzero |= value != 0;
        }
      }
      if (wrong) add(&bad[t / LANES], 1u);
      if (nonzero) add(&any[t / LANES], 1u);
    });
    each([&](int t) {
      if (t < ROWS && first + t < n) faults[first + t] = bad[t] ? 1 : any[t] ? 0 : 2;
    });
  }
}

// value * 2^exponent, by two factors, for one may be out of range.
DEVICE double scaled(double value, int exponent) {
  const int half = exponent / 2, rest = exponent - half;
  return value * as_double(static_cast<u64>(1023 + half) << 52) *
         as_double(static_cast<u64>(1023 + rest) << 52);
}

DEVICE int exponent_of(double value) {
  const bool subnormal = value < 0x1p-1022;
  const u64 bits = as_bits(subnormal ? value * 0x1p60 : value);
  return static_cast<int>(bits >> 52 & 0x7ff) - (subnormal ? 1083 : 1023);
}

// out[i] = x[i] / |x[i]|, its padding zero; zero[i] tells a row of zeros. The length is taken in
// float64. Where the squares would leave its range, the row is first scaled by a power of two.
template <class T>
KERNEL unit_rows(const T* x, i64 n, i64 d, i64 stride, T* out, i64 out_stride, u8* zero) {
  SHARED(double, squares[ROWS][LANES]);
  SHARED(double, largest[ROWS][LANES]);
  SHARED(int, exponent[ROWS]);
  for (i64 first = block_index() * ROWS; first < n; first += block_count() * ROWS) {
    each([&](int t) {
      const i64 i = first + t / LANES;
      double sum = 0, most = 0;
      for (i64 p = t % LANES; i < n && p * Pack<T>::size < d; p += LANES) {
        const Pack<T> part = packs(x + i * stride)[p];
        for (int c = 0; c < Pack<T>::size; ++c) {
          const double value = part.values[c], size = value < 0 ? -value : value;
          sum += value * value;
          most = size > most ? size : most;
          if (!(size - size == 0)) sum = NOT_A_NUMBER;
        }
      }
      squares[t / LANES][t % LANES] = sum;
      largest[t / LANES][t % LANES] = most;
    });
    sum_lanes(squares);
    each([&](int t) {  // by one lane for its row, and rarely more than a look
      if (t % LANES != 0) return;
      const int r = t / LANES;
      const i64 i = first + r;
      exponent[r] = 0;
      if (i >= n) return;
      const double sum = squares[r][0];
      if ((sum > 1e-280 && sum < 1e280) || sum != sum) return;
      double most = 0;
      for (int lane = 0; lane < LANES; ++lane)
        most = largest[r][lane] > most ? largest[r][lane] : most;
      if (most == 0) return;
      exponent[r] = -exponent_of(most);
      squares[r][0] = 0;
      for (i64 k = 0; k < d; ++k) {
        const double value = scaled(static_cast<double>(x[i * stride + k]), exponent[r]);
        squares[r][0] += value * value;
      }
    });
    each([&](int t) {
      const int r = t / LANES;
      const i64 i = first + r;
      if (i >= n) return;
      const double length = sqrt(squares[r][0]), by = length == 0 ? 0 : 1 / length;
      for (i64 k = t % LANES; k < out_stride; k += LANES) {
        const double value = k < d ? static_cast<double>(x[i * stride + k]) : 0;
        if (exponent[r] != 0)
          out[i * out_stride + k] = static_cast<T>(scaled(value, exponent[r]) / length);
        else
          out[i * out_stride + k] = static_cast<T>(k < d ? value * by : 0);
      }
      if (t % LANES == 0) zero[i] = length == 0;
    });
  }
}

DEVICE u16 to_bfloat16(float value) {
  if (value != value) return 0x7fc0;
  const u32 bits = as_bits(value);
  return static_cast<u16>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// Rounded to the nearest, ties to even; its padding is zero.
KERNEL round_bfloat16(const float* x, i64 n, i64 d, i64 stride, u16* out, i64 out_stride) {
  items(n * out_stride, [&](i64 place) {
    const i64 i = place / out_stride, k = place % out_stride;
    out[place] = k < d ? to_bfloat16(x[i * stride + k]) : u16(0);
  });
}

// The nearest number of ten bits after the point, the widest that tensor cores take as they are.
DEVICE float to_tf32(float value) {
  const u32 bits = as_bits(value);
  if ((bits & 0x7f800000) == 0x7f800000) return value;
  return as_float((bits + 0xfff + (bits >> 13 & 1)) & ~u32(0x1fff));
}

// Three times as many features: high, high, low, or high, low, high, where a value is about
// high + low. The product of the one with the other leaves out low times low alone.
KERNEL split_tf32(const float* x, i64 n, i64 d, i64 stride, float* out, i64 out_stride, i64 left) {
  items(n * d, [&](i64 place) {
    const i64 i = place / d, k = place % d;
    const float value = x[i * stride + k], high = to_tf32(value), low = to_tf32(value - high);
    float* row = out + i * out_stride;
    row[k] = high;
    row[d + k] = left ? high : low;
    row[2 * d + k] = left ? low : high;
  });
}

// out[p] = x[index[p]] - centre - (offsets of code[p]), in float64 before it is rounded; offsets
// and codes may be null. Its padding is zero.
template <class T, class Out>
KERNEL centre_rows(const T* x, i64 stride, i64 d, const i64* index, i64 n, const double* centre,
                   const double* offsets, const i64* codes, Out* out, i64 out_stride) {
  items(n * out_stride, [&](i64 place) {
    const i64 p = place / out_stride, k = place % out_stride;
    double value = 0;
    if (k < d) {
      value = static_cast<double>(x[index[p] * stride + k]) - centre[k];
      if (offsets) value -= offsets[codes[p] * d + k];
    }
    out[place] = static_cast<Out>(value);
  });
}

// The same, transposed: out (d, n).
template <class T>
KERNEL centre_columns(const T* x, i64 stride, i64 d, const i64* index, i64 n, const double* centre,
                      double* out, i64 out_stride) {
  items(d * out_stride, [&](i64 place) {
    const i64 k = place / out_stride, p = place % out_stride;
    out[place] = p < n ? static_cast<double>(x[index[p] * stride + k]) - centre[k] : 0;
  });
}

// z[p] -= offsets of code[p]
template <class T>
KERNEL subtract_offsets(T* z, i64 stride, i64 n, i64 k, const double* offsets, const i64* codes) {
  items(n * k, [&](i64 place) {
    const i64 p = place / k, c = place % k;
    z[p * stride + c] -= static_cast<T>(offsets[codes[p] * k + c]);
  });
}

// y[index[p]] = z[p] * (scales of code[p]) + added[p]; its padding is zero.
template <class T>
KERNEL scale_and_add(const T* z, i64 stride, i64 n, i64 k, const double* scales, const i64* codes,
                     const T* added, const i64* index, T* y, i64 y_stride) {
  items(n * y_stride, [&](i64 place) {
    const i64 p = place / y_stride, c = place % y_stride;
    y[index[p] * y_stride + c] =
        c < k ? z[p * stride + c] * static_cast<T>(scales[codes[p] * k + c]) + added[p * stride + c]
              : T(0);
  });
}

// y[index[p]] = NaN; its padding is zero.
template <class T>
KERNEL no_rows(const i64* index, i64 n, i64 k, T* y, i64 y_stride) {
  items(n * y_stride, [&](i64 place) {
    const i64 c = place % y_stride;
    y[index[place / y_stride] * y_stride + c] = c < k ? static_cast<T>(NOT_A_NUMBER) : T(0);
  });
}

// y[i] = (x[i] - shift - (offsets of code[i])) * (scales of code[i]), in one pass; NaN for code -1.
template <class T>
KERNEL scale_rows(const T* x, i64 n, i64 d, i64 stride, const double* shift, const double* offsets,
                  const double* scales, const i64* codes, T* y, i64 y_stride) {
  constexpr int wide = Pack<T>::size;
  each([&](int t) {
    for (i64 i = block_index() * ROWS + t / LANES; i < n; i += block_count() * ROWS) {
      const i64 code = codes[i];
      for (i64 p = t % LANES; p * wide < d; p += LANES) {
        Pack<T> part = packs(x + i * stride)[p];
        for (int c = 0; c < wide; ++c) {
          const i64 k = p * wide + c;
          T& value = part.values[c];
          if (k >= d)
            value = 0;
          else if (code < 0)
            value = static_cast<T>(NOT_A_NUMBER);
          else
            value = static_cast<T>(static_cast<double>(value) - shift[k] - offsets[code * d + k]) *
                    static_cast<T>(scales[code * d + k]);
        }
        packs(y + i * y_stride)[p] = part;
      }
    }
  });
}

// |x[i]|^2
KERNEL squared_lengths(const double* x, i64 n, i64 d, i64 stride, double* out) {
  SHARED(double, parts[ROWS][LANES]);
  for (i64 first = block_index() * ROWS; first < n; first += block_count() * ROWS) {
    each([&](int t) {
      const i64 i = first + t / LANES;
      double sum = 0;
      for (i64 k = t % LANES; i < n && k < d; k += LANES) {
        const double value = x[i * stride + k];
        sum += value * value;
      }
      parts[t / LANES][t % LANES] = sum;
    });
    sum_lanes(parts);
    each([&](int t) {
      if (t < ROWS && first + t < n) out[first + t] = parts[t][0];
    });
  }
}

}  // namespace wellgram::gpu
