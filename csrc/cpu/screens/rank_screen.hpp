// rank_counts by a screen: cells of its tiles that are near a value of their row or column are
// taken out, to be counted by their cosines.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "cpu/primitives.hpp"
#include "cpu/screens/choice.hpp"
#include "cpu/screens/tile_maker.hpp"

namespace wellgram {

// A pair of a row of x and one of y whose cosine is still to be counted: for the row in a place of
// its chunk, and for the values of the second row too, if asked.
struct OpenCell {
  Index row, column, place;
  bool both;
};

// Tiles of a screen: of the rows x(0) ... x(rows - 1), against all of y in some order.
class RankScreen {
 public:
  template <class X, class Y>
  RankScreen(std::unique_ptr<TileMaker> maker, View<const float> x, Index rows, const X& place_in_x,
             View<const float> y, const Y& place_in_y, const Team& team)
      : maker_(std::move(maker)),
        roundings_(x.columns),
        tiles_(maker_->wide() / kernels<float>().tile_columns),
        lefts_(panel_count(rows, maker_->tall()), maker_->left_bytes()),
        rights_(panel_count(y.rows, maker_->wide()), maker_->right_bytes()) {
    lefts_.pack_left(*maker_, {x}, rows, place_in_x, team);
    rights_.pack_right(*maker_, {y}, y.rows, place_in_y, team);
  }

  // How many tiles side by side are best made at once, and the room that they take.
  Index at_once() const { return maker_->at_once() * tiles_; }
  Index cells() const { return maker_->at_once() * maker_->tall() * maker_->wide(); }
  Index scratch_bytes() const { return maker_->scratch_bytes(maker_->at_once()); }

  // Makes the tiles of left panel p from right panel q on, a multiple of at_once().
  void make(Index p, Index q, std::byte* scratch, float* cells) const {
    const Index first = q / tiles_;
    const Index count = std::min(maker_->at_once(), rights_.count() - first);
    maker_->multiply(lefts_[p], lefts_.extent(p), rights_, first, count, scratch, cells);
  }

  // How far their cells may be from their cosines.
  double bound(Index p, Index q) const {
    return screen_bound(lefts_.extent(p), rights_.extent(q / tiles_), roundings_,
                        maker_->sum_roundings());
  }

 private:
  std::unique_ptr<TileMaker> maker_;
  Index roundings_, tiles_;
  ScreenedPanels lefts_, rights_;
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
