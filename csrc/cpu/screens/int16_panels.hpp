// Rows as whole numbers of 16 bits, packed in panels, and how far they are from what they stand
// for.
//
// A panel has a scale S: q = round(S x), and x~ = q / S. S is such that |q| <= 46,340, so that by
// Cauchy-Schwarz a dot product of two rows fits into 32 bits, and that no |q_k| exceeds 32,767.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "cpu/kernels.hpp"
#include "cpu/panels.hpp"

namespace wellgram {

// What holds of every row x of a panel.
struct PanelExtent {
  double scale;     // of its whole numbers
  double length;    // |x| at the most
  double residual;  // |x - x~| at the most
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

class Int16Packer {
 public:
  Int16Packer(Index features, Index width)
      : features_(features), width_(width), depth_(panel_count(features, 2)), whole_(2 * depth_) {}

  Index panel_size() const { return width_ * depth_; }

  // Packs row(0) ... row(present - 1).
  template <class Row>
  PanelExtent pack(Index present, const Row& row, Int16Pair* panel) {
    const auto& kernel = current_set().screen;
    double length = 0, largest = 0, worst = 0;
    for (Index r = 0; r < present; ++r) {
      length = std::max(length, row_length(row(r), features_));
      largest = std::max(largest, static_cast<double>(kernel.largest_size(row(r), features_)));
    }
    const double scale = scale_of(length, largest);
    if (present < width_) std::fill_n(panel, panel_size(), Int16Pair{0});
    for (Index r = 0; r < present; ++r) {
      worst = std::max(worst, kernel.quantise(row(r), features_, scale, whole_.data()));
      for (Index k = 0; k < depth_; ++k)
        panel[k * width_ + r].bits = bits(2 * k) | bits(2 * k + 1) << 16;
    }
    return {scale, length, std::sqrt(worst) / scale * (1 + 1e-9)};
  }

 private:
  std::uint32_t bits(Index k) const { return static_cast<std::uint16_t>(whole_[k]); }

  // A float, so that its product with a value is exact in float64.
  double scale_of(double length, double largest) const {
    if (largest == 0) return 1;
    const double rounding = std::sqrt(static_cast<double>(features_)) / 2;
    const double scale = std::min((46339.5 - rounding) / length, 32766.5 / largest);
    return static_cast<double>(static_cast<float>(scale * (1 - 0x1p-23)));
  }

  Index features_, width_, depth_;
  std::vector<std::int16_t> whole_;
};

class Int16Panels {
 public:
  // Panels of row(0) ... row(vectors - 1).
  template <class Row>
  Int16Panels(Index vectors, Index width, Index features, const Row& row, const Team& team)
      : size_(Int16Packer(features, width).panel_size()),
        extents_(panel_count(vectors, width)),
        buffer_(std::ssize(extents_) * size_) {
    team.run(std::ssize(extents_), [&](Index p, int) {
      const auto member = [&](Index r) { return row(p * width + r); };
      extents_[p] =
          Int16Packer(features, width)
              .pack(std::min(width, vectors - p * width), member, buffer_.data() + p * size_);
    });
  }

  const Int16Pair* operator[](Index p) const { return buffer_.data() + p * size_; }
  const PanelExtent& extent(Index p) const { return extents_[p]; }

 private:
  Index size_;
  std::vector<PanelExtent> extents_;
  Buffer<Int16Pair> buffer_;
};

// 1 but in tests, which make bounds too small to see that they would notice.
extern double screen_bound_factor;

// The share by which so many roundings of float32 may change a product: g(m) below.
inline double rounding_growth(Index roundings) {
  const double steps = static_cast<double>(roundings) * 0x1p-24;
  return steps / (1 - steps);
}

// A bound in float64: with room for its own rounding, and for products below the range of float32.
inline double as_bound(double sum) { return (sum * (1 + 1e-12) + 1e-30) * screen_bound_factor; }

// How far a screened cosine may be from the chain of float32 that a pass without a screen meets,
// for rows of two panels.
//
//   |x . y - x~ . y~|  <=  |x - x~| |y| + |x~| |y - y~|     (Cauchy-Schwarz)
//   |chain - x . y|    <=  g(d) |x| |y|,  g(m) = m u / (1 - m u),  u = 2^-24
//
// and up to 8 u |x~| |y~| for what is done with the sum in float32.
inline double screen_bound(const PanelExtent& a, const PanelExtent& b, Index features) {
  const double a_length = a.length + a.residual, b_length = b.length + b.residual;
  return as_bound(a.residual * b.length + a_length * b.residual +
                  rounding_growth(features) * a.length * b.length +
                  8 * 0x1p-24 * a_length * b_length);
}

// The same of a sum of float32 that is made in some other order, in which a product passes through
// so many additions at the most.
inline double reordered_bound(Index features, Index additions, double a_length, double b_length) {
  return as_bound((rounding_growth(features + 1) + rounding_growth(additions + 1)) * a_length *
                  b_length);
}

// Fills the tile of two panels. Returns how far its cells may be from their cosines.
inline double make_int16_tile(const Int16Pair* left, const PanelExtent& left_extent,
                              const Int16Pair* right, const PanelExtent& right_extent,
                              Index features, float* cells) {
  const auto unit = static_cast<float>(1 / (left_extent.scale * right_extent.scale));
  current_set().screen.int16_tile(left, right, panel_count(features, 2), unit, cells);
  return screen_bound(left_extent, right_extent, features);
}

// Tiles of two sets of rows that are both packed.
class Int16Tiles {
 public:
  // Of x(0) ... x(rows - 1) in panels as wide as `tall`, and of y(0) ... in panels of `wide`.
  template <class X, class Y>
  Int16Tiles(Index rows, Index tall, const X& x, Index columns, Index wide, const Y& y,
             Index features, const Team& team)
      : features_(features),
        lefts_(rows, tall, features, x, team),
        rights_(columns, wide, features, y, team) {}

  // Fills the tile of panels p and q. Returns how far its cells may be from their cosines.
  double make(Index p, Index q, float* cells) const {
    return make_int16_tile(lefts_[p], lefts_.extent(p), rights_[q], rights_.extent(q), features_,
                           cells);
  }

 private:
  Index features_;
  Int16Panels lefts_, rights_;
};

}  // namespace wellgram
