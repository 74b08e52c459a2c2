// Counts below thresholds, and a histogram: every cosine is compared, none is kept.
#pragma once

#include "cpu/consumers/consumer.hpp"

namespace wellgram {

template <class T>
class CountBelowConsumer : public Consumer<T> {
 public:
  explicit CountBelowConsumer(const CountBelow& recipe) : counts_(recipe.thresholds.size()) {
    for (const double t : recipe.thresholds) thresholds_.push_back(not_below<T>(t));
  }
  std::unique_ptr<Consumer<T>> another() const override {
    auto fresh = std::make_unique<CountBelowConsumer>(*this);
    fresh->counts_.assign(counts_.size(), 0);
    return fresh;
  }
  void absorb(const Tile<T>& tile) override {
    for (std::size_t t = 0; t < counts_.size(); ++t)
      counts_[t] += kernels<T>().count_below(tile.pairs, tile.count, thresholds_[t]);
  }
  void merge(Consumer<T>& other) override {
    add(counts_, static_cast<CountBelowConsumer&>(other).counts_);
  }
  State<T> state() override { return {counts_, {}}; }

 private:
  std::vector<T> thresholds_;
  std::vector<Index> counts_;
};

template <class T>
class HistogramConsumer : public Consumer<T> {
 public:
  explicit HistogramConsumer(const Histogram& recipe)
      : low_(recipe.low),
        per_unit_(static_cast<double>(recipe.bins) / (recipe.high - recipe.low)),
        counts_(recipe.bins) {}
  std::unique_ptr<Consumer<T>> another() const override {
    auto fresh = std::make_unique<HistogramConsumer>(*this);
    fresh->counts_.assign(counts_.size(), 0);
    return fresh;
  }
  void absorb(const Tile<T>& tile) override {
    kernels<T>().count_bins(tile.pairs, tile.count, low_, per_unit_,
                            static_cast<Index>(counts_.size()), counts_.data());
  }
  void merge(Consumer<T>& other) override {
    add(counts_, static_cast<HistogramConsumer&>(other).counts_);
  }
  State<T> state() override { return {counts_, {}}; }

 private:
  double low_, per_unit_;
  std::vector<Index> counts_;
};

}  // namespace wellgram
