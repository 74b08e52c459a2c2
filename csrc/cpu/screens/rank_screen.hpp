// rank_counts by a screen: cells of its tiles that are near a value of their row or column are
// taken out, to be counted by their cosines.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "cpu/primitives.hpp"
#include "cpu/screens/int16_panels.hpp"
#include "cpu/screens/screen.hpp"

namespace wellgram {

// A pair of a row of x and one of y whose cosine is still to be counted: for the row in a place of
// its chunk, and for the values of the second row too, if asked.
struct OpenCell {
  Index row, column, place;
  bool both;
};

class OpenCells {
 public:
  void add(const OpenCell& cell) { cells_.push_back(cell); }
  bool many() const { return cells_.size() > 1 << 16; }

  // Hands every cell with its cosine, or its absolute value, to take(cell, cosine).
  template <class Take>
  void settle(View<const float> x, View<const float> y, bool absolute, const Take& take) {
    constexpr std::size_t batch = 512;
    Index i[batch], j[batch];
    float cosines[batch];
    std::sort(cells_.begin(), cells_.end(), [](const OpenCell& a, const OpenCell& b) {
      return a.row != b.row ? a.row < b.row : a.column < b.column;
    });
    for (std::size_t first = 0; first < cells_.size(); first += batch) {
      const std::size_t count = std::min(batch, cells_.size() - first);
      for (std::size_t c = 0; c < count; ++c) {
        i[c] = cells_[first + c].row;
        j[c] = cells_[first + c].column;
      }
      products<float>().pair_dots(x.data, x.stride, y.data, y.stride, x.columns, i, j,
                                  static_cast<Index>(count), cosines);
      for (std::size_t c = 0; c < count; ++c)
        take(cells_[first + c], absolute ? std::abs(cosines[c]) : cosines[c]);
    }
    cells_.clear();
  }

 private:
  std::vector<OpenCell> cells_;
};

}  // namespace wellgram
