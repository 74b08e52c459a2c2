// Ranks of given values, the keys, among all cosines: every cosine is counted at the first key that
// is not less. A table of the keys, a few to a line of cache, is each thread's own, because it
// holds the counts too; how to find a line in it is shared. Cosines that are counted at certain
// keys are kept as well.
#pragma once

#include "cpu/buffer.hpp"
#include "cpu/consumers/consumer.hpp"

namespace wellgram {

template <class T>
class RanksConsumer : public Consumer<T> {
 public:
  explicit RanksConsumer(const Ranks& recipe) : counts_(2 * recipe.values.size()) {
    auto shared = std::make_shared<Shared>();
    shared->recipe = recipe;
    make_grid(*shared);
    shared_ = std::move(shared);
    const std::size_t keys = shared_->keys.size();
    equal_.resize(keys);
    spilled_.resize(keys);
    lines_.resize(shared_->first_key.size() - 1);
    fill_lines();
    clear();
  }
  std::unique_ptr<Consumer<T>> another() const override {
    auto fresh = std::make_unique<RanksConsumer>(*this);
    fresh->clear();
    fresh->counts_.assign(counts_.size(), 0);
    fresh->kept_.clear();
    fresh->kept_so_far_ = {};
    return fresh;
  }
  void absorb(const Tile<T>& tile) override {
    rank_pending();
    if (absorbed_ > std::numeric_limits<std::int32_t>::max() - max_tile) flush();
    std::copy_n(tile.pairs, tile.count, pending_);
    std::fill(pending_ + tile.count, pending_ + max_tile, std::numeric_limits<T>::quiet_NaN());
    is_pending_ = true;
    absorbed_ += max_tile;
  }
  const RankWork<T>* beside() override {
    if (!is_pending_) return nullptr;
    is_pending_ = false;
    kept_so_far_.more = kept_so_far_.count < shared_->recipe.capacity;
    if (kept_so_far_.count + max_tile + 1 > std::ssize(kept_))
      kept_.resize(2 * kept_.size() + max_tile + 1);
    kept_so_far_.values = kept_.data();
    work_ = {pending_,      shared_->grid,        lines_.data(),   shared_->first_key.data(),
             equal_.data(), shared_->keys.data(), spilled_.data(), &kept_so_far_};
    return &work_;
  }
  void merge(Consumer<T>& other) override {
    auto& rest = static_cast<RanksConsumer&>(other);
    flush();
    rest.flush();
    add(counts_, rest.counts_);
    kept_.resize(kept_so_far_.count);
    kept_.insert(kept_.end(), rest.kept_.begin(), rest.kept_.begin() + rest.kept_so_far_.count);
    kept_so_far_.count = std::ssize(kept_);
  }
  State<T> state() override {
    flush();
    kept_.resize(kept_so_far_.count);
    return {counts_, std::move(kept_)};
  }

 private:
  struct Shared {
    Ranks recipe;
    std::vector<Ordered<T>> keys;  // and one more, the largest integer
    std::vector<RankSegment> segment;
    std::vector<std::uint32_t> first_key;  // of each line, and their number
    RankGrid<T> grid;
  };

  // The largest cosine not above a value: other cosines compare with the one as with the other.
  static T key_of(double value) { return not_above<T>(value); }

  static void make_grid(Shared& shared) {
    constexpr std::uint32_t per_line = 3;  // on average: lines of more than 7 are then rare
    const auto& values = shared.recipe.values;
    std::vector<T> keys(values.size());
    for (std::size_t k = 0; k < keys.size(); ++k) keys[k] = key_of(values[k]);
    const T low = keys.empty() ? T(0) : std::clamp(keys.front(), T(-2), T(2));
    const T high = keys.empty() ? T(0) : std::clamp(keys.back(), T(-2), T(2));
    const double width = std::max(1e-6, static_cast<double>(high) - static_cast<double>(low));
    shared.grid = {low, static_cast<T>((segments << segment_bits) / width), nullptr};

    std::vector<std::int32_t> units(keys.size() + 16);
    keys.resize(keys.size() + 16);  // find_units reads whole vectors
    kernels<T>().find_units(keys.data(), std::ssize(values), shared.grid, units.data());
    std::vector<std::uint32_t> sizes(segments + 1);
    for (std::size_t k = 0; k < values.size(); ++k) ++sizes[units[k] >> segment_bits];
    shared.segment.resize(segments + 1);
    std::uint32_t lines = 0;
    for (std::int32_t s = 0; s <= segments; ++s) {
      shared.segment[s] = {lines, sizes[s] / per_line + 1};
      lines += shared.segment[s].lines;
    }
    shared.grid.segment = shared.segment.data();

    shared.first_key.assign(lines + 1, 0);
    for (std::size_t k = 0; k < values.size(); ++k) {
      ++shared.first_key[line_of(shared.grid.segment, static_cast<std::uint32_t>(units[k])) + 1];
      shared.keys.push_back(ordered(keys[k]));
    }
    for (std::uint32_t line = 0; line < lines; ++line)
      shared.first_key[line + 1] += shared.first_key[line];
    shared.keys.push_back(std::numeric_limits<Ordered<T>>::max());
  }

  // Calls each(line, first key, how many).
  template <class Each>
  void over_lines(const Each& each) {
    for (std::size_t line = 0; line < lines_.size(); ++line) {
      const std::uint32_t first = shared_->first_key[line];
      each(lines_[line], first, shared_->first_key[line + 1] - first);
    }
  }
  void fill_lines() {
    over_lines([&](RankLine<T>& line, std::uint32_t first, std::uint32_t keys) {
      const bool fits = keys < line_keys;
      std::fill_n(
          line.keys, line_keys,
          fits ? std::numeric_limits<Ordered<T>>::max() : std::numeric_limits<Ordered<T>>::min());
      if (fits) std::copy_n(&shared_->keys[first], keys, line.keys);
    });
  }
  void clear() {
    over_lines([](RankLine<T>& line, std::uint32_t, std::uint32_t) {
      std::fill_n(line.counts, line_keys, 0u);
    });
    std::fill(equal_.begin(), equal_.end(), 0u);
    std::fill(spilled_.begin(), spilled_.end(), 0u);
    for (const auto& [first, last] : shared_->recipe.kept) keep(first, last);
    is_pending_ = false;
    absorbed_ = 0;
  }
  // Has the cosines kept that are counted at keys first to last.
  void keep(Index first, Index last) {
    std::fill(&spilled_[first], &spilled_[last] + 1, keeping);
    over_lines([&](RankLine<T>& line, std::uint32_t key, std::uint32_t keys) {
      for (std::uint32_t k = 0; k <= keys && k < line_keys; ++k)
        if (first <= key + k && key + k <= last) line.counts[k] = keeping;
    });
  }
  void rank_pending() {
    if (const RankWork<T>* work = beside()) kernels<T>().count_ranks(*work);
  }
  // Empties the short counters into the long ones. What lies above the last key of a line belongs
  // to the first of the next; above all keys, to none. A value that T cannot hold has no equal: its
  // key is the cosine next below, whose equals were counted there.
  void flush() {
    rank_pending();
    const auto& values = shared_->recipe.values;
    over_lines([&](RankLine<T>& line, std::uint32_t first, std::uint32_t keys) {
      for (std::uint32_t k = 0; k <= keys && k < line_keys; ++k)
        if (first + k < values.size()) counts_[first + k] += line.counts[k] % keeping;
    });
    for (std::size_t k = 0; k < values.size(); ++k) {
      counts_[k] += spilled_[k] % keeping;
      if (static_cast<double>(key_of(values[k])) == values[k])
        counts_[values.size() + k] += equal_[k];
    }
    clear();
  }

  std::shared_ptr<const Shared> shared_;
  std::vector<RankLine<T>, PageAllocator<RankLine<T>>> lines_;
  std::vector<std::uint32_t> equal_, spilled_;
  RankWork<T> work_{};
  Kept<T> kept_so_far_{};
  std::vector<T> kept_;
  Index absorbed_ = 0;
  bool is_pending_ = false;
  T pending_[max_tile];
  std::vector<Index> counts_;
};

}  // namespace wellgram
