// Loops over one row of a matrix.
#pragma once

#include "cpu/simd/lanes.hpp"

namespace wellgram::WELLGRAM_ISA {
namespace {

template <class T>
void add_row(const T* row, Index columns, double* sums) {
  for (Index k = 0; k < columns; ++k) sums[k] += static_cast<double>(row[k]);
}

// As many values as a vector has doubles, widened.
inline Vector<double> load_doubles(const double* v) { return load(v); }
inline Vector<double> load_doubles(const float* v) {
#if defined(__AVX512F__)
  return _mm512_maskz_cvtps_pd(0xff, _mm256_loadu_ps(v));
#else
  typedef float Narrow __attribute__((vector_size(Lanes<double>::count * sizeof(float))));
  Narrow values;
  __builtin_memcpy(&values, v, sizeof values);
  return __builtin_convertvector(values, Vector<double>);
#endif
}

// Sums stay in registers while all rows pass by, a strip of columns at a time. Rows lie anywhere in
// memory, so they are sent for some steps before they are added.
template <class T>
void add_rows(const T* x, Index stride, const Index* rows, Index count, Index columns,
              double* sums) {
  constexpr int lanes = Lanes<double>::count, wide = 8;
  constexpr Index strip = lanes * wide, ahead = 4, line = 64 / sizeof(T);
  Index k = 0;
  for (; k + strip <= columns; k += strip) {
    Vector<double> part[wide];
    __builtin_memcpy(part, sums + k, sizeof part);
    for (Index i = 0; i < count; ++i) {
      if (i + ahead < count) {
        const T* later = x + rows[i + ahead] * stride + k;
        for (Index j = 0; j < strip; j += line) __builtin_prefetch(later + j);
      }
      const T* row = x + rows[i] * stride + k;
#pragma GCC unroll 8
      for (int w = 0; w < wide; ++w) {
        part[w] += load_doubles(row + w * lanes);
      }
    }
    __builtin_memcpy(sums + k, part, sizeof part);
  }
  for (Index i = 0; k < columns && i < count; ++i)
    add_row(x + rows[i] * stride + k, columns - k, sums + k);
}

template <class T>
void add_squares(const T* row, const double* mean, Index columns, double* sums) {
  for (Index k = 0; k < columns; ++k) {
    const double deviation = static_cast<double>(row[k]) - mean[k];
    sums[k] += deviation * deviation;
  }
}

// Eight partial sums, so that the loop is not bound by the latency of one addition.
template <class T>
double sum_of_squares(const T* row, Index columns) {
  constexpr int width = 8;
  double part[width] = {};
  Index k = 0;
  for (; k + width <= columns; k += width)
    for (int w = 0; w < width; ++w) {
      const double value = static_cast<double>(row[k + w]);
      part[w] += value * value;
    }
  for (; k < columns; ++k) part[0] += static_cast<double>(row[k]) * static_cast<double>(row[k]);
  double sum = 0;
  for (int w = 0; w < width; ++w) sum += part[w];
  return sum;
}

template <class T>
void scale_row(const T* row, double factor, Index columns, T* out) {
  for (Index k = 0; k < columns; ++k) out[k] = static_cast<T>(static_cast<double>(row[k]) * factor);
}

}  // namespace
}  // namespace wellgram::WELLGRAM_ISA
