// The distance of two rows from their differences: for pairs of which products would cancel.
#pragma once

#include <algorithm>
#include <cmath>

#include "common/view.hpp"

namespace wellgram {

// The distance of two rows from differences, of values of any size.
template <class T>
double apart(const T* a, const T* b, Index d) {
  double sum = 0, largest = 0;
  for (Index k = 0; k < d; ++k) {
    const double difference = static_cast<double>(a[k]) - static_cast<double>(b[k]);
    sum += difference * difference;
    largest = std::max(largest, std::abs(difference));
  }
  if ((sum > 0x1p-900 && sum < 0x1p900) || largest == 0) return std::sqrt(sum);
  if (!std::isfinite(largest)) return largest;
  const int exponent = std::ilogb(largest);
  sum = 0;
  for (Index k = 0; k < d; ++k) {
    const double scaled =
        std::ldexp(static_cast<double>(a[k]) - static_cast<double>(b[k]), -exponent);
    sum += scaled * scaled;
  }
  return std::ldexp(std::sqrt(sum), exponent);
}

}  // namespace wellgram
