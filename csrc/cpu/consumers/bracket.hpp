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
    fresh->below_ = fresh->within_ = fresh->found_count_ = 0;
    fresh->kept_.clear();
    return fresh;
  }
  void absorb(const Tile<T>& tile) override {
    const bool full = static_cast<Index>(kept_.size()) + found_count_ >= capacity_;
    const auto [below, within] =
        full ? kernels<T>().split(tile.pairs, tile.count, low_, high_)
             : kernels<T>().collect(tile.pairs, tile.count, low_, high_, found_ + found_count_);
    below_ += below;
    within_ += within;
    if (full) return;
    found_count_ += within;
    if (found_count_ > found_room) settle();
  }
  void settle() override {
    kept_.insert(kept_.end(), found_, found_ + found_count_);
    found_count_ = 0;
  }
  void merge(Consumer<T>& other) override {
    auto& rest = static_cast<BracketConsumer&>(other);
    below_ += rest.below_;
    within_ += rest.within_;
    kept_.insert(kept_.end(), rest.kept_.begin(), rest.kept_.end());
    rest.kept_ = {};
  }
  State<T> state() override { return {{below_, within_}, std::move(kept_)}; }
  bool decides() const override { return true; }
  Index sift(const ScreenedTile& tile, std::uint16_t* doubtful) override {
    const float low = not_above<float>(static_cast<double>(low_) - tile.bound);
    const float high = not_below<float>(static_cast<double>(high_) + tile.bound);
    return current_set().screen.sift(tile.cells, &low, &high, 1, &below_, doubtful);
  }
  void decide(T cosine) override {
    below_ += cosine < low_;
    if (!(low_ <= cosine && cosine <= high_)) return;
    ++within_;
    if (static_cast<Index>(kept_.size()) < capacity_) kept_.push_back(cosine);
  }

 private:
  T low_, high_;
  static constexpr Index found_room = 512;  // a bracket is narrow: of a tile a few cells

  Index capacity_, below_ = 0, within_ = 0, found_count_ = 0;
  std::vector<T> kept_;
  T found_[found_room + max_tile + 16];
};

}  // namespace wellgram
