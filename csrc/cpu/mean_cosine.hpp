// The mean cosine of all pairs of a set of rows of length 1, from their sum.
#pragma once

#include <cmath>

#include "cpu/kernels.hpp"

namespace wellgram {

// A whole number of 2^-40, so that sets which are equal have equal means whatever the order in
// which their rows were added up.
inline double mean_cosine(const double* sum, Index columns, Index size) {
  const double squares = kernels<double>().sum_of_squares(sum, columns);
  const auto k = static_cast<double>(size);
  return std::ldexp(std::nearbyint(std::ldexp((squares - k) / (k * (k - 1)), 40)), -40);
}

}  // namespace wellgram
