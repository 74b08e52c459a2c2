// Loops over one row of a matrix.
#pragma once

#include "cpu/simd/lanes.hpp"

namespace wellgram::WELLGRAM_ISA {
namespace {

template <class T>
void add_row(const T* row, Index columns, double* sums) {
  for (Index k = 0; k < columns; ++k) sums[k] += static_cast<double>(row[k]);
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
