// Bounds in another type.
#pragma once

#include <cmath>
#include <limits>

namespace wellgram {

// The smallest T that is not below t, and the largest that is not above it, so that a comparison
// in T decides as the comparison with t itself would.
template <class T>
T not_below(double t) {
  const T rounded = static_cast<T>(t);
  return static_cast<double>(rounded) < t
             ? std::nextafter(rounded, std::numeric_limits<T>::infinity())
             : rounded;
}
template <class T>
T not_above(double t) {
  return -not_below<T>(-t);
}

}  // namespace wellgram
