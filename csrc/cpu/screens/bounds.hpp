// How far a screened cosine may be from the one that a pass without a screen meets.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "cpu/kernels.hpp"
#include "cpu/panels.hpp"

namespace wellgram {

// What holds of every row x of a panel, which whole numbers q stand for: x~ = q / scale.
struct PanelExtent {
  double scale;
  double length;    // |x| at the most
  double residual;  // |x - x~| at the most
  double low;       // of numbers in two parts: the length of the lower part / scale at the most
};

inline double row_length(const float* row, Index features) {
  const double squares = kernels<float>().sum_of_squares(row, features);
  return std::sqrt(squares) * (1 + static_cast<double>(features + 4) * 0x1p-52);
}

// The length of the longest row; infinite where one is NaN.
inline double longest_row(View<const float> rows, const Team& team) {
  constexpr Index rows_a_piece = 256;
  std::vector<double> longest(panel_count(rows.rows, rows_a_piece));
  team.run(std::ssize(longest), [&](Index piece, int) {
    const Index end = std::min(rows.rows, (piece + 1) * rows_a_piece);
    for (Index row = piece * rows_a_piece; row < end; ++row) {
      const double length = row_length(rows.row(row), rows.columns);
      if (!(length <= longest[piece]))
        longest[piece] = length > 0 ? length : std::numeric_limits<double>::infinity();
    }
  });
  return rows.rows == 0 ? 0 : *std::max_element(longest.begin(), longest.end());
}

// Screens are for rows of length 1, or near, or zero.
constexpr double most_length = 2;

// 1 but in tests, which make bounds too small to see that they would notice.
extern double screen_bound_factor;

// The share by which so many roundings of float32 may change a product: g(m) below.
inline double rounding_growth(Index roundings) {
  const double steps = static_cast<double>(roundings) * 0x1p-24;
  return steps / (1 - steps);
}

// A bound in float64: with room for its own rounding, and for products below the range of float32.
inline double as_bound(double sum) { return (sum * (1 + 1e-12) + 1e-30) * screen_bound_factor; }

// For rows of two panels, where the chain of float32 that a pass without a screen meets rounds so
// many times.
//
//   |x . y - x~ . y~|  <=  |x - x~| |y| + |x~| |y - y~|     (Cauchy-Schwarz)
//   |chain - x . y|    <=  g(roundings) |x| |y|,  g(m) = m u / (1 - m u),  u = 2^-24
//
// Of numbers in two parts the product of both lower parts is left out: at most the product of their
// lengths. Up to g(sum_roundings) (|x~| + low_x) (|y~| + low_y) is for what is done in float32.
inline double screen_bound(const PanelExtent& a, const PanelExtent& b, Index roundings,
                           Index sum_roundings) {
  const double a_length = a.length + a.residual, b_length = b.length + b.residual;
  return as_bound(a.residual * b.length + a_length * b.residual + a.low * b.low +
                  rounding_growth(roundings) * a.length * b.length +
                  rounding_growth(sum_roundings) * (a_length + a.low) * (b_length + b.low));
}

// The same of a sum of float32 that is made in some other order, in which a product passes through
// so many additions at the most.
inline double reordered_bound(Index roundings, Index additions, double a_length, double b_length) {
  return as_bound((rounding_growth(roundings + 1) + rounding_growth(additions + 1)) * a_length *
                  b_length);
}

}  // namespace wellgram
