// What is done with the cosines of a pass while they are in cache: a consumer absorbs batches of
// values and merges with another of its kind. Each thread has its own; merging happens at the end.
// The definitions, with formulas, are in backends/consumers.py; these are their twins.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "cpu/kernels.hpp"
#include "cpu/primitives.hpp"

namespace wellgram {

template <class T>
class Consumer {
 public:
  virtual ~Consumer() = default;
  virtual void absorb(const T* values, Index count) = 0;
  virtual void merge(Consumer& other) = 0;
  virtual State state() = 0;
};

// The smallest T that is not below t, and the largest that is not above it, so that a comparison
// in T decides as the comparison with t itself would.
template <class T>
T not_below(double t) {
  const T rounded = static_cast<T>(t);
  return static_cast<double>(rounded) < t
             ? std::nextafter(rounded, std::numeric_limits<T>::infinity())
             : rounded;
}
template <class T>
T not_above(double t) {
  return -not_below<T>(-t);
}

template <class T>
class CountBelowConsumer : public Consumer<T> {
 public:
  explicit CountBelowConsumer(const CountBelow& recipe) : counts_(recipe.thresholds.size()) {
    for (const double t : recipe.thresholds) thresholds_.push_back(not_below<T>(t));
  }
  void absorb(const T* values, Index count) override {
    for (std::size_t t = 0; t < counts_.size(); ++t)
      counts_[t] += kernels<T>().count_below(values, count, thresholds_[t]);
  }
  void merge(Consumer<T>& other) override {
    const auto& counts = static_cast<CountBelowConsumer&>(other).counts_;
    for (std::size_t t = 0; t < counts_.size(); ++t) counts_[t] += counts[t];
  }
  State state() override { return {counts_, {}}; }

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
        last_(static_cast<double>(recipe.bins - 1)),
        counts_(recipe.bins) {}
  void absorb(const T* values, Index count) override {
    for (Index k = 0; k < count; ++k) {
      const double bin = (static_cast<double>(values[k]) - low_) * per_unit_;
      // Written so that a NaN falls into the first bin instead of outside of the table.
      ++counts_[static_cast<Index>(bin > 0 ? std::min(bin, last_) : 0)];
    }
  }
  void merge(Consumer<T>& other) override {
    const auto& counts = static_cast<HistogramConsumer&>(other).counts_;
    for (std::size_t b = 0; b < counts_.size(); ++b) counts_[b] += counts[b];
  }
  State state() override { return {counts_, {}}; }

 private:
  double low_, per_unit_, last_;
  std::vector<Index> counts_;
};

template <class T>
class BracketConsumer : public Consumer<T> {
 public:
  explicit BracketConsumer(const Bracket& recipe)
      : low_(not_below<T>(recipe.low)),
        high_(not_above<T>(recipe.high)),
        capacity_(recipe.capacity) {}
  void absorb(const T* values, Index count) override {
    // A bracket is narrow: most stretches of a tile hold nothing of it, and those are only counted.
    constexpr Index stretch = 64;
    for (Index first = 0; first < count; first += stretch) {
      const T* some = values + first;
      const Index size = std::min(stretch, count - first);
      const auto [below, within] = kernels<T>().split(some, size, low_, high_);
      below_ += below;
      within_ += within;
      if (within == 0 || static_cast<Index>(kept_.size()) >= capacity_) continue;
      for (Index k = 0; k < size; ++k)
        if (some[k] >= low_ && some[k] <= high_) kept_.push_back(some[k]);
    }
  }
  void merge(Consumer<T>& other) override {
    auto& rest = static_cast<BracketConsumer&>(other);
    below_ += rest.below_;
    within_ += rest.within_;
    kept_.insert(kept_.end(), rest.kept_.begin(), rest.kept_.end());
    rest.kept_ = {};
  }
  State state() override {
    std::sort(kept_.begin(), kept_.end());
    return {{below_, within_}, {kept_.begin(), kept_.end()}};
  }

 private:
  T low_, high_;
  Index capacity_, below_ = 0, within_ = 0;
  std::vector<T> kept_;
};

template <class T>
std::unique_ptr<Consumer<T>> make_consumer(const CountBelow& recipe) {
  return std::make_unique<CountBelowConsumer<T>>(recipe);
}
template <class T>
std::unique_ptr<Consumer<T>> make_consumer(const Histogram& recipe) {
  return std::make_unique<HistogramConsumer<T>>(recipe);
}
template <class T>
std::unique_ptr<Consumer<T>> make_consumer(const Bracket& recipe) {
  return std::make_unique<BracketConsumer<T>>(recipe);
}

}  // namespace wellgram
