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
  bool decides() const override { return true; }
  Index sift(const ScreenedTile& tile, std::uint16_t* doubtful) override {
    low_.clear();
    high_.clear();
    for (const T t : thresholds_) {
      low_.push_back(not_above<float>(static_cast<double>(t) - tile.bound));
      high_.push_back(not_below<float>(static_cast<double>(t) + tile.bound));
    }
    return current_set().screen.sift(tile.cells, low_.data(), high_.data(), std::ssize(counts_),
                                     counts_.data(), doubtful);
  }
  void decide(T cosine) override {
    for (std::size_t t = 0; t < counts_.size(); ++t) counts_[t] += cosine < thresholds_[t];
  }
  bool looks_closer() const override { return true; }
  bool decide_near(float cosine, double bound) override {
    for (const T t : thresholds_)
      if (std::abs(static_cast<double>(cosine) - static_cast<double>(t)) <= bound) return false;
    decide(static_cast<T>(cosine));
    return true;
  }

 private:
  std::vector<T> thresholds_;
  std::vector<float> low_, high_;  // what a screen cannot tell from each
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
  bool decides() const override { return true; }
  Index sift(const ScreenedTile& tile, std::uint16_t* doubtful) override {
    return current_set().screen.sift_bins(tile.cells, tile.bound, low_, per_unit_,
                                          static_cast<Index>(counts_.size()), counts_.data(),
                                          doubtful);
  }
  void decide(T cosine) override {
    kernels<T>().count_bins(&cosine, 1, low_, per_unit_, static_cast<Index>(counts_.size()),
                            counts_.data());
  }
  bool looks_closer() const override { return true; }
  bool decide_near(float cosine, double bound) override {
    const Index first = bin_of(static_cast<double>(cosine) - bound);
    const bool sure = first == bin_of(static_cast<double>(cosine) + bound);
    if (sure) ++counts_[first];
    return sure;
  }

 private:
  Index bin_of(double value) const {
    const double place = (value - low_) * per_unit_;
    return static_cast<Index>(std::clamp(place, 0.0, static_cast<double>(counts_.size() - 1)));
  }

  double low_, per_unit_;
  std::vector<Index> counts_;
};

}  // namespace wellgram
