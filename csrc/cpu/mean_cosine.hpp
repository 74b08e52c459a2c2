// The mean cosine of all pairs of a set of rows of length 1, from the squared length of
// their sum.
#pragma once

#include <cmath>

#include "cpu/kernels.hpp"

namespace wellgram {

// A whole number of 2^-40, so that sets which are equal have equal means whatever the order in
// which their rows were added up.
inline double mean_cosine(double squared_length, Index size) {
  const auto k = static_cast<double>(size);
  return std::ldexp(std::nearbyint(std::ldexp((squared_length - k) / (k * (k - 1)), 40)), -40);
}

}  // namespace wellgram
