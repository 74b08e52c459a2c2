// Ranks of given values, the keys, among all cosines: every cosine is counted at the first key that
// is not less. Most fall into bins that hold no key and are counted there; the others are compared
// with the keys of their bin's line. Both tables are each thread's own, because they hold counts.
// Cosines that are counted at certain keys are kept as well.
#pragma once

#include "cpu/consumers/rank_keys.hpp"

namespace wellgram {

template <class T>
class RanksConsumer : public Consumer<T> {
 public:
  explicit RanksConsumer(std::shared_ptr<const RankKeys<T>> keys)
      : keys_(std::move(keys)),
        counts_(keys_->count() + 1),
        equal_(keys_->count() + 1),
        tally_{nullptr, places_, notes_},
        work_{{near_values_, near_places_, 0},
              {full_values_, full_places_, 0},
              nullptr,
              nullptr,
              keys_->first_key.data(),
              keys_->keys.data(),
              keys_->keeps.data(),
              counts_.data(),
              equal_.data(),
              &kept_so_far_} {}
  explicit RanksConsumer(const Ranks& recipe)
      : RanksConsumer(std::make_shared<const RankKeys<T>>(recipe)) {}
  RanksConsumer(const RanksConsumer&) = delete;  // points at itself
  std::unique_ptr<Consumer<T>> another() const override {
    return std::make_unique<RanksConsumer>(keys_);
  }
  void absorb(const Tile<T>& tile) override {
    if (tables_.bins.empty()) open();
    finish_tile();
    std::copy_n(tile.pairs, tile.count, values_);
    kernels<T>().find_bins(values_, tile.count, keys_->grid, places_);
    std::fill(places_ + tile.count, places_ + max_tile, keys_->spare_bin());
    pending_ = tile.count;
    tallied_ = false;
  }
  const Tally* beside() override {
    if (tallied_) return nullptr;
    tallied_ = true;
    return &tally_;
  }
  // Empties the tables into the long counters. What lies above the last key of a line belongs to
  // the first of the next, as do the bins that follow.
  void settle() override {
    if (tables_.bins.empty()) return;  // nothing came
    finish_tile();
    count_near();
    for (Index k = 0, bin = 0; k < keys_->count(); ++k)
      for (; bin <= keys_->bin[k]; ++bin)
        if (tables_.bins[bin] < full_bin) counts_[k] += tables_.bins[bin];
    keys_->over_lines(
        tables_.lines, [&](RankLine<T>& line, std::uint32_t first, std::uint32_t own) {
          for (std::uint32_t k = 0; k <= own && own < line_keys; ++k) {
            counts_[first + k] += line.counts[k] - (keys_->keeps[first + k] ? kept_count : 0);
            equal_[first + k] += line.equal[k];
          }
        });
    tables_ = {};
    kept_.resize(kept_so_far_.count);
  }
  void merge(Consumer<T>& other) override {
    auto& rest = static_cast<RanksConsumer&>(other);
    add(counts_, rest.counts_);
    add(equal_, rest.equal_);
    kept_.insert(kept_.end(), rest.kept_.begin(), rest.kept_.end());
    kept_so_far_.count = std::ssize(kept_);
  }
  State<T> state() override {
    std::vector<Index> counts(counts_.begin(), counts_.end() - 1);
    for (Index k = 0; k < keys_->count(); ++k)
      counts.push_back(keys_->is_cosine(k) ? equal_[k] : 0);
    return {counts, std::move(kept_)};
  }

 private:
  // Each thread its own, when its first tile comes: to fill them takes time.
  void open() {
    tables_ = keys_->empty_tables();
    tally_.bins = work_.bins = tables_.bins.data();
    work_.lines = tables_.lines.data();
  }
  // Counts what was near a key in the tile before the last, and finds it in the last.
  void finish_tile() {
    count_near();
    if (const Tally* tally = beside()) kernels<T>().tally(*tally);
    kernels<T>().pick(values_, pending_, tally_, work_);
    pending_ = 0;
  }
  void count_near() {
    kept_so_far_.more = kept_so_far_.count < keys_->recipe.capacity;
    if (kept_so_far_.count + max_tile + 1 > std::ssize(kept_))
      kept_.resize(2 * kept_.size() + max_tile + 1);
    kept_so_far_.values = kept_.data();
    kernels<T>().count_by_key(work_);
    work_.near.count = work_.full.count = 0;
  }

  std::shared_ptr<const RankKeys<T>> keys_;
  RankTables<T> tables_;
  std::vector<Index> counts_, equal_;  // of each key; those above all come last
  Kept<T> kept_so_far_{};
  std::vector<T> kept_;
  // A tile, and what is known of its values so far.
  Index pending_ = 0;
  bool tallied_ = true;
  Tally tally_{};
  T values_[max_tile + 16];
  std::int32_t places_[max_tile + 16];
  std::uint8_t notes_[max_tile];
  // Of the tile before.
  KeyWork<T> work_{};
  T near_values_[max_tile + 16], full_values_[max_tile + 16];
  std::int32_t near_places_[max_tile + 1], full_places_[max_tile + 1];
};

}  // namespace wellgram
