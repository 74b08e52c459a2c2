// Sums of cosines: of every row, and within the groups of a grouping. In fixed point, so that the
// order of adding up changes nothing.
#pragma once

#include "cpu/consumers/consumer.hpp"

namespace wellgram {

inline Index to_fixed(double value) { return std::llrint(value * fixed_point); }

template <class T>
class RowMomentsConsumer : public Consumer<T> {
 public:
  explicit RowMomentsConsumer(const Extent& extent) : counts_(extent.rows), moments_(extent.rows) {}
  std::unique_ptr<Consumer<T>> another() const override {
    auto fresh = std::make_unique<RowMomentsConsumer>(*this);
    fresh->counts_.assign(counts_.size(), 0);
    fresh->moments_.assign(moments_.size(), {});
    return fresh;
  }
  void absorb(const Tile<T>& tile) override {
    if (tile.whole()) {
      Moments* columns = tile.symmetric ? &moments_[tile.column] : nullptr;
      kernels<T>().add_moments(tile.cells, &moments_[tile.row], columns);
      for (Index i = 0; i < tile.rows; ++i) counts_[tile.row + i] += tile.columns;
      for (Index j = 0; tile.symmetric && j < tile.columns; ++j)
        counts_[tile.column + j] += tile.rows;
      return;
    }
    for (Index j = 0; j < tile.columns; ++j)
      for (Index i = 0; i < tile.above(j); ++i) {
        const double value = static_cast<double>(tile.cells[j * tile.tall + i]);
        add_one(tile.row + i, value);
        if (tile.symmetric) add_one(tile.column + j, value);
      }
  }
  void merge(Consumer<T>& other) override {
    const auto& rest = static_cast<RowMomentsConsumer&>(other);
    add(counts_, rest.counts_);
    for (std::size_t k = 0; k < moments_.size(); ++k) {
      moments_[k].sum += rest.moments_[k].sum;
      moments_[k].squares += rest.moments_[k].squares;
    }
  }
  State<T> state() override {
    State<T> state{counts_, {}};
    for (const Moments& moments : moments_) state.counts.push_back(moments.sum);
    for (const Moments& moments : moments_) state.counts.push_back(moments.squares);
    return state;
  }

 private:
  void add_one(Index row, double value) {
    ++counts_[row];
    moments_[row].sum += to_fixed(value);
    moments_[row].squares += to_fixed(value * value);
  }

  std::vector<Index> counts_;
  std::vector<Moments> moments_;
};

// Pairs whose two rows are of one group: per group their count, sum and sum of squares. Few tiles
// hold any, so that the codes are compared first. A group may have more pairs than 64 bits hold the
// sum of: sums are kept as their upper and lower 32 bits.
template <class T>
class WithinGroupsConsumer : public Consumer<T> {
 public:
  explicit WithinGroupsConsumer(const WithinGroups& recipe)
      : recipe_(std::make_shared<const WithinGroups>(recipe)), state_(5 * recipe.groups) {}
  std::unique_ptr<Consumer<T>> another() const override {
    auto fresh = std::make_unique<WithinGroupsConsumer>(*this);
    fresh->state_.assign(state_.size(), 0);
    return fresh;
  }
  void absorb(const Tile<T>& tile) override {
    const std::int32_t* codes = &recipe_->rows[tile.row];
    for (Index j = 0; j < tile.columns; ++j) {
      const std::int32_t code = recipe_->columns[tile.column + j];
      const Index above = tile.above(j);
      int same = 0;
      for (Index i = 0; i < above; ++i) same += codes[i] == code;
      if (code < 0 || same == 0) continue;
      for (Index i = 0; i < above; ++i)
        if (codes[i] == code) add_one(code, static_cast<double>(tile.cells[j * tile.tall + i]));
    }
  }
  void merge(Consumer<T>& other) override {
    add(state_, static_cast<WithinGroupsConsumer&>(other).state_);
  }
  State<T> state() override { return {state_, {}}; }

 private:
  void add_one(Index group, double value) {
    const Index groups = recipe_->groups;
    ++state_[group];
    const Index sum = to_fixed(value), squares = to_fixed(value * value);
    add_to(state_[groups + group], state_[2 * groups + group], sum);
    add_to(state_[3 * groups + group], state_[4 * groups + group], squares);
  }
  static void add_to(Index& upper, Index& lower, Index value) {
    lower += value & 0xffffffff;
    upper += (value >> 32) + (lower >> 32);
    lower &= 0xffffffff;
  }

  std::shared_ptr<const WithinGroups> recipe_;
  std::vector<Index> state_;
};

}  // namespace wellgram
