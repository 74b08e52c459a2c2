// Cosines of single pairs of a pass, by the chain that its tiles are made by.
#pragma once

#include <vector>

#include "common/view.hpp"
#include "cpu/kernels.hpp"

namespace wellgram {

// The rows that a block of a pass has at hand: x from `row` of the map on, y from `column` on.
struct ExactCells {
  View<const float> x, y;
  Index row, column;
  bool symmetric;
  double quick_bound;

  // out[p] = the cosine of row i[p] of x and row j[p] of y.
  void cosines(const Index* i, const Index* j, Index pairs, float* out) const {
    products<float>().pair_dots(x.data, x.stride, y.data, y.stride, x.columns, i, j, pairs, out);
  }

  // A sum of the same products in another order: within `quick_bound` of what `cosines` gives.
  float quick_cosine(Index i, Index j) const {
    return current_set().screen.dot(x.row(i), y.row(j), x.columns);
  }

  // The place in x and in y of a pair of rows of the map; of a map against itself either comes
  // first.
  std::pair<Index, Index> place(Index row_of_map, Index partner) const {
    if (symmetric && partner < row_of_map) std::swap(row_of_map, partner);
    return {row_of_map - row, partner - column};
  }
};

}  // namespace wellgram
