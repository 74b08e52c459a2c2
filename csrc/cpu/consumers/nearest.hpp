// The most and the least similar partners of every row.
//
// A pair serves both of its rows. All threads share one table of candidates, so that a row's
// threshold for admission rises with whatever any of them has met; heaps of each thread's own would
// have to be filled once per thread. A row collects up to twice as many candidates as are wanted,
// then drops all but the best and raises its threshold: a constant number of steps per candidate.
#pragma once

#include <atomic>
#include <thread>

#include "cpu/buffer.hpp"
#include "cpu/consumers/consumer.hpp"
#include "cpu/screens/nearest.hpp"

namespace wellgram {

// The best k partners of every row, where larger values are better and, among equals, smaller
// indices.
template <class T>
class Ranking {
 public:
  Ranking(Index rows, Index k)
      : k_(k),
        capacity_(std::max(2 * k, k + 8)),
        rows_(k > 0 ? rows : 0),
        candidates_(static_cast<Index>(rows_.size()) * capacity_) {}

  bool any() const { return k_ > 0; }
  Index wanted() const { return k_; }
  Index rows() const { return static_cast<Index>(rows_.size()); }
  // How many there are of all rows.
  Index size() const { return static_cast<Index>(rows_.size()) * k_; }

  T threshold(Index row) const { return rows_[row].threshold.load(std::memory_order_relaxed); }

  // Takes a candidate; returns the threshold, which none of the rest may be below.
  T offer(Index row, T value, Index partner) {
    Row& mine = rows_[row];
    Candidate* mine_candidates = candidates_.data() + row * capacity_;
    while (mine.busy.test_and_set(std::memory_order_acquire)) std::this_thread::yield();
    mine_candidates[mine.filled++] = {value, static_cast<std::uint32_t>(partner)};
    if (mine.filled == capacity_) {
      std::nth_element(mine_candidates, mine_candidates + k_ - 1, mine_candidates + capacity_,
                       better);
      mine.filled = static_cast<std::int32_t>(k_);
      mine.threshold.store(mine_candidates[k_ - 1].value, std::memory_order_relaxed);
    }
    const T threshold = mine.threshold.load(std::memory_order_relaxed);
    mine.busy.clear(std::memory_order_release);
    return threshold;
  }

  // Puts the candidates of every row in order.
  void sort(const Team& team) {
    team.run(static_cast<Index>(rows_.size()), [&](Index row, int) {
      Candidate* first = candidates_.data() + row * capacity_;
      std::sort(first, first + rows_[row].filled, better);
    });
  }

  // Appends the best of every row, which are in order, values times `sign`; NaN and -1 where there
  // are fewer.
  void append(State<T>& state, T sign) const {
    for (Index row = 0; row < static_cast<Index>(rows_.size()); ++row) {
      const Candidate* first = candidates_.data() + row * capacity_;
      const Index filled = rows_[row].filled;
      for (Index rank = 0; rank < k_; ++rank) {
        const bool there = rank < filled;
        state.counts.push_back(there ? static_cast<Index>(first[rank].partner) : -1);
        state.values.push_back(there ? sign * first[rank].value
                                     : std::numeric_limits<T>::quiet_NaN());
      }
    }
  }

 private:
  struct Candidate {
    T value;
    std::uint32_t partner;
  };
  struct Row {
    std::atomic<T> threshold{-std::numeric_limits<T>::infinity()};
    std::int32_t filled = 0;
    std::atomic_flag busy;
  };
  static bool better(const Candidate& a, const Candidate& b) {
    return a.value > b.value || (a.value == b.value && a.partner < b.partner);
  }

  Index k_, capacity_;
  std::vector<Row> rows_;
  Buffer<Candidate> candidates_;
};

template <class T>
class NearestConsumer : public Consumer<T> {
 public:
  NearestConsumer(const Nearest& recipe, const Extent& extent)
      : shared_(std::make_shared<Shared>(
            Shared{{extent.rows, recipe.most}, {extent.rows, recipe.least}})) {}
  std::unique_ptr<Consumer<T>> another() const override {
    return std::make_unique<NearestConsumer>(*this);
  }
  void begin(const Block& block) override {
    if (shared_->screened) {
      sieve_.begin(block, *shared_->screened);
      return;
    }
    block_ = block;
    load(row_most_, shared_->most, true, 1, block.row, block.rows);
    load(row_least_, shared_->least, true, -1, block.row, block.rows);
    load(column_most_, shared_->most, block.symmetric, 1, block.column, block.columns);
    load(column_least_, shared_->least, block.symmetric, -1, block.column, block.columns);
  }
  void absorb(const Tile<T>& tile) override {
    T* row_most = &row_most_[tile.row - block_.row];
    T* row_least = &row_least_[tile.row - block_.row];
    T* column_most = &column_most_[tile.column - block_.column];
    T* column_least = &column_least_[tile.column - block_.column];
    std::uint16_t found[max_tile];
    const Index count =
        kernels<T>().admit(tile.cells, row_most, column_most, row_least, column_least, found);
    for (Index f = 0; f < count; ++f) {
      const Index i = found[f] % tile.tall, j = found[f] / tile.tall;
      if (j >= tile.columns || i >= tile.above(j)) continue;
      const T value = tile.cells[found[f]];
      const Index row = tile.row + i, column = tile.column + j;
      if (value >= row_most[i]) row_most[i] = shared_->most.offer(row, value, column);
      if (value <= row_least[i]) row_least[i] = -shared_->least.offer(row, -value, column);
      if (!tile.symmetric) continue;
      if (value >= column_most[j]) column_most[j] = shared_->most.offer(column, value, row);
      if (value <= column_least[j]) column_least[j] = -shared_->least.offer(column, -value, row);
    }
  }
  void merge(Consumer<T>&) override {}
  void finish(const Team& team) override {
    shared_->most.sort(team);
    shared_->least.sort(team);
  }
  // Of many, most cells are candidates; and theirs take twice the memory.
  bool decides() const override {
    constexpr Index most_wanted = 256;  // as the definition's state_bytes has it
    return std::is_same_v<T, float> &&
           std::max(shared_->most.wanted(), shared_->least.wanted()) <= most_wanted;
  }
  void open_screen(const ExactCells& exact) override {
    const auto open = [&](const Ranking<T>& ranking, float sign) {
      ScreenedRanking screened(ranking.rows(), ranking.wanted(), sign, exact);
      for (Index row = 0; row < ranking.rows(); ++row)
        screened.start_at(row, static_cast<float>(ranking.threshold(row)));
      return screened;
    };
    shared_->screened.reset(new ScreenedNearest{open(shared_->most, 1), open(shared_->least, -1)});
  }
  void close_screen(const Team& team) override {
    const auto close = [&](ScreenedRanking& screened, Ranking<T>& ranking) {
      screened.settle(team, [&](Index row, float value, Index partner) {
        ranking.offer(row, static_cast<T>(value), partner);
      });
    };
    close(shared_->screened->most, shared_->most);
    close(shared_->screened->least, shared_->least);
    shared_->screened.reset();
  }
  Index sift(const ScreenedTile& tile, std::uint16_t*) override {
    sieve_.sift(tile, *shared_->screened);
    return 0;  // what it cannot tell yet is among its candidates
  }
  State<T> state() override {
    State<T> state;
    const Index size = shared_->most.size() + shared_->least.size();
    state.counts.reserve(size);
    state.values.reserve(size);
    shared_->most.append(state, 1);
    shared_->least.append(state, -1);
    return state;
  }

 private:
  struct Shared {
    Ranking<T> most, least;
    std::unique_ptr<ScreenedNearest> screened = nullptr;
  };
  static constexpr T never = std::numeric_limits<T>::infinity();

  // Thresholds as they stand, in the sign of the cosines; those of no row admit nothing.
  static void load(std::vector<T>& out, const Ranking<T>& ranking, bool admits, int sign,
                   Index first, Index count) {
    out.assign(count + max_tile, static_cast<T>(sign) * never);
    for (Index k = 0; admits && ranking.any() && k < count; ++k)
      out[k] = static_cast<T>(sign) * ranking.threshold(first + k);
  }

  std::shared_ptr<Shared> shared_;
  Block block_{};
  std::vector<T> row_most_, row_least_, column_most_, column_least_;
  NearestSieve sieve_;
};

}  // namespace wellgram
