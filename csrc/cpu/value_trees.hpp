// Ascending values as a binary tree, to be searched for a vector of cells at a time: node n has its
// children at 2n and 2n + 1, the root is node 1, and level t lies at [2^t, 2^(t+1)). A tree of up
// to eight levels is a few registers, so that a step is a permutation of them.
#pragma once

#include <algorithm>
#include <bit>
#include <limits>
#include <vector>

#include "cpu/kernels.hpp"

namespace wellgram {

constexpr Index least_tree_levels = 5, most_tree_levels = 8;
constexpr Index most_tree_values = (Index{1} << most_tree_levels) - 1;

inline Index tree_levels(Index values) {
  return std::max<Index>(least_tree_levels, std::bit_width(static_cast<std::size_t>(values)));
}
inline Index tree_nodes(Index levels) { return Index{1} << levels; }

// Missing values are the largest, which no cell is above. Node 0 is of no use.
template <class T>
void plant(const T* values, Index count, Index levels, T* tree) {
  tree[0] = 0;
  for (Index level = 0; level < levels; ++level) {
    const Index nodes = Index{1} << level, step = Index{1} << (levels - level);
    for (Index i = 0; i < nodes; ++i) {
      const Index place = i * step + step / 2 - 1;
      tree[nodes + i] = place < count ? values[place] : std::numeric_limits<T>::infinity();
    }
  }
}

// How the cells above each of so many values are counted: by a comparison with each; by a search in
// a tree, where the instruction set has one; or by a search in memory.
enum class Way { compared, in_a_tree, searched };

template <class T>
Way way_of(Index values) {
  constexpr Index most_compared = 256, most_compared_beside_trees = 20;
  if (kernels<T>().count_in_trees == nullptr)
    return values <= most_compared ? Way::compared : Way::searched;
  if (values <= most_compared_beside_trees) return Way::compared;
  return values <= most_tree_values ? Way::in_a_tree : Way::searched;
}

}  // namespace wellgram
