// How many cells are above each value of a row: of the rows of a panel, whose cells come a tile at
// a time, or of any rows, whose cells are the columns of tiles.
#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "cpu/primitives.hpp"
#include "cpu/value_trees.hpp"

namespace wellgram {

// How many of a row's values lie below a cell.
template <class T>
Index place_of(T cell, const T* values, Index count) {
  return std::lower_bound(values, values + count, cell) - values;
}

// The values of a panel's rows and how many cells were above each, lane by lane; rows with less are
// filled up with what nothing is above. Compared values are counted themselves, of others the
// places of cells among them.
template <class T>
class PanelCounts {
 public:
  void take(const Rankings<T>& rankings, const Index* rows, Index count, Index tall) {
    rankings_ = &rankings, rows_ = rows, count_ = count, tall_ = tall;
    depth_ = rankings.size(rows[count - 1]);  // rows come in ascending order of it
    way_ = way_of<T>(depth_);
    values_.assign(depth_ * tall, std::numeric_limits<T>::infinity());
    for (Index i = 0; i < count; ++i)
      for (Index k = 0; k < rankings.size(rows[i]); ++k)
        values_[k * tall + i] = rankings.values(rows[i])[k];
    if (way_ == Way::compared)
      counts_.assign(depth_ * tall, 0);
    else
      places_.assign((depth_ + 1) * tall, 0);
    if (way_ == Way::in_a_tree) plant_trees();
  }

  Index depth() const { return depth_; }
  const T* values() const { return values_.data(); }

  // The bytes that a panel with so many values to a row works with.
  static Index bytes(Index depth, Index tall) {
    const Index nodes = way_of<T>(depth) == Way::in_a_tree ? tree_nodes(tree_levels(depth)) : depth;
    return (depth + nodes) * tall * static_cast<Index>(sizeof(T));
  }

  void absorb(const T* cells, Index columns) {
    const auto& kernel = kernels<T>();
    switch (way_) {
      case Way::compared:
        return kernel.count_above(cells, columns, values_.data(), depth_, counts_.data());
      case Way::in_a_tree:
        return kernel.count_in_trees(cells, columns, trees_.data(), tree_levels(depth_),
                                     places_.data());
      case Way::searched:
        return kernel.count_places(cells, columns, values_.data(), depth_, places_.data());
    }
  }

  // One more cell of row i.
  void absorb_cell(Index i, T cell) {
    if (way_ == Way::compared)
      for (Index k = 0; k < depth_; ++k) counts_[k * tall_ + i] += cell > values_[k * tall_ + i];
    else
      ++places_[place_of(cell, rankings_->values(rows_[i]), rankings_->size(rows_[i])) * tall_ + i];
  }

  void write(Index* counts) const {
    for (Index i = 0; i < count_; ++i) {
      const Index size = rankings_->size(rows_[i]);
      Index* out = counts + rankings_->starts[rows_[i]];
      if (way_ == Way::compared)
        for (Index k = 0; k < size; ++k) out[k] = counts_[k * tall_ + i];
      else
        for (Index k = size, above = 0; k-- > 0;) out[k] = above += places_[(k + 1) * tall_ + i];
    }
  }

 private:
  void plant_trees() {
    const Index levels = tree_levels(depth_), nodes = tree_nodes(levels);
    trees_.assign(nodes * tall_, std::numeric_limits<T>::infinity());
    for (Index i = 0; i < count_; ++i)
      plant(rankings_->values(rows_[i]), rankings_->size(rows_[i]), levels,
            trees_.data() + i * nodes);
  }

  const Rankings<T>* rankings_;
  const Index* rows_;
  Index count_, tall_, depth_;
  Way way_;
  std::vector<T> values_, trees_;
  std::vector<Ordered<T>> counts_;
  std::vector<std::uint32_t> places_;
};

// The trees of all rows, for those of their cells that are columns of a tile.
template <class T>
class RowTrees {
 public:
  RowTrees(const Rankings<T>& rankings, Index rows) : starts_(rows + 1, 0) {
    for (Index i = 0; i < rows; ++i)
      starts_[i + 1] =
          starts_[i] +
          (in_a_tree(rankings.size(i)) ? tree_nodes(tree_levels(rankings.size(i))) : 0);
    nodes_.resize(starts_[rows]);
    for (Index i = 0; i < rows; ++i)
      if (in_a_tree(rankings.size(i)))
        plant(rankings.values(i), rankings.size(i), tree_levels(rankings.size(i)),
              nodes_.data() + starts_[i]);
  }

  const T* operator[](Index i) const { return nodes_.data() + starts_[i]; }

 private:
  static bool in_a_tree(Index values) { return way_of<T>(values) == Way::in_a_tree; }

  std::vector<Index> starts_;
  std::vector<T> nodes_;
};

// Of rows with a tree, or with few enough values to be compared with each.
template <class T>
class ColumnCounts {
 public:
  ColumnCounts(const Rankings<T>& rankings, const RowTrees<T>& trees, Index rows)
      : rankings_(rankings),
        trees_(trees),
        rows_(rows),
        found_(static_cast<Index>(rankings.all.size()) + rows) {}

  // The cells of a column of a tile.
  void absorb(Index row, const T* cells) {
    const Index size = rankings_.size(row);
    if (way_of<T>(size) == Way::in_a_tree)
      kernels<T>().count_column_in_tree(cells, trees_[row], tree_levels(size), found(row));
    else
      kernels<T>().count_column_above(cells, rankings_.values(row), size, found(row));
  }

  void absorb_cell(Index row, T cell) {
    const Index size = rankings_.size(row);
    if (way_of<T>(size) == Way::in_a_tree)
      ++found(row)[place_of(cell, rankings_.values(row), size)];
    else
      for (Index k = 0; k < size; ++k) found(row)[k] += cell > rankings_.values(row)[k];
  }

  void add_to(Index* counts) const {
    for (Index row = 0; row < rows_; ++row) {
      const Index size = rankings_.size(row);
      const std::uint32_t* here = found_.data() + rankings_.starts[row] + row;
      Index* out = counts + rankings_.starts[row];
      if (way_of<T>(size) == Way::in_a_tree)
        for (Index k = size, above = 0; k-- > 0;) out[k] += above += here[k + 1];
      else
        for (Index k = 0; k < size; ++k) out[k] += here[k];
    }
  }

 private:
  // Of each value the cells above, or of each place how many cells have it: one more.
  std::uint32_t* found(Index row) { return found_.data() + rankings_.starts[row] + row; }

  const Rankings<T>& rankings_;
  const RowTrees<T>& trees_;
  Index rows_;
  std::vector<std::uint32_t> found_;
};

}  // namespace wellgram
