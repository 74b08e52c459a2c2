// A bracket: counts what lies below it, and keeps what lies within.
#pragma once

#include "cpu/consumers/consumer.hpp"

namespace wellgram {

template <class T>
class BracketConsumer : public Consumer<T> {
 public:
  explicit BracketConsumer(const Bracket& recipe)
      : low_(not_below<T>(recipe.low)),
        high_(not_above<T>(recipe.high)),
        capacity_(recipe.capacity) {}
  std::unique_ptr<Consumer<T>> another() const override {
    auto fresh = std::make_unique<BracketConsumer>(*this);
    fresh->below_ = fresh->within_ = 0;
    fresh->kept_.clear();
    return fresh;
  }
  void absorb(const Tile<T>& tile) override {
    const bool full = static_cast<Index>(kept_.size()) >= capacity_;
    const auto [below, within] =
        full ? kernels<T>().split(tile.pairs, tile.count, low_, high_)
             : kernels<T>().collect(tile.pairs, tile.count, low_, high_, found_);
    below_ += below;
    within_ += within;
    if (!full) kept_.insert(kept_.end(), found_, found_ + within);
  }
  void merge(Consumer<T>& other) override {
    auto& rest = static_cast<BracketConsumer&>(other);
    below_ += rest.below_;
    within_ += rest.within_;
    kept_.insert(kept_.end(), rest.kept_.begin(), rest.kept_.end());
    rest.kept_ = {};
  }
  State<T> state() override { return {{below_, within_}, std::move(kept_)}; }

 private:
  T low_, high_;
  Index capacity_, below_ = 0, within_ = 0;
  std::vector<T> kept_;
  T found_[max_tile];
};

}  // namespace wellgram
