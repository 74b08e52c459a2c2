// Cosines of single pairs of a pass, by the chain that its tiles are made by.
#pragma once

#include <utility>

#include "cpu/kernels.hpp"
#include "cpu/screens/tile_maker.hpp"

namespace wellgram {

// The rows that a block of a pass has at hand: x from `row` of the map on, y from `column` on.
struct ExactCells {
  ScreenedRows x, y;
  Index row, column;
  bool symmetric;
  double quick_bound;

  // out[p] = the cosine of row i[p] of x and row j[p] of y.
  void cosines(const Index* i, const Index* j, Index pairs, float* out) const {
    const auto& left = x.rows;
    const auto& right = y.rows;
    const auto pair_dots =
        x.bfloat16 ? products<Bfloat16Pair>().pair_dots : products<float>().pair_dots;
    pair_dots(left.data, left.stride, right.data, right.stride, left.columns, i, j, pairs, out);
  }

  // A sum of the same products in another order, within `quick_bound` of what `cosines` gives.
  float quick_cosine(Index i, Index j) const {
    const auto& kernel = current_set().screen;
    const auto dot = x.bfloat16 ? kernel.bfloat16_dot : kernel.dot;
    return dot(x.rows.row(i), y.rows.row(j), x.rows.columns);
  }

  // The place in x and in y of a pair of rows of the map; of a map against itself either comes
  // first.
  std::pair<Index, Index> place(Index row_of_map, Index partner) const {
    if (symmetric && partner < row_of_map) std::swap(row_of_map, partner);
    return {row_of_map - row, partner - column};
  }
};

}  // namespace wellgram
