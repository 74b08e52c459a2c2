// The best partners of every row as far as a screen can tell: candidates with the least and the
// most that they may be. A row's floor is the k-th greatest of those least values; what cannot
// reach it is dropped. Few are left in the end, and their cosines are made then.
#pragma once

#include <algorithm>
#include <atomic>
#include <limits>
#include <thread>
#include <tuple>
#include <vector>

#include "cpu/buffer.hpp"
#include "cpu/screens/exact_cells.hpp"
#include "cpu/team.hpp"

namespace wellgram {

class ScreenedRanking {
 public:
  // Cosines times `sign` are what is ranked: larger ones are better, and among equals the smaller
  // partner is.
  ScreenedRanking(Index rows, Index k, float sign, const ExactCells& exact)
      : k_(k),
        capacity_(2 * k + 16),
        sign_(sign),
        exact_(exact),
        rows_(k > 0 ? rows : 0),
        candidates_(std::ssize(rows_) * capacity_) {}

  bool any() const { return k_ > 0; }
  float floor(Index row) const { return rows_[row].floor.load(std::memory_order_relaxed); }
  void start_at(Index row, float floor) { rows_[row].floor = floor; }

  // Takes a candidate; returns the floor, which those that are to come must be able to reach.
  float offer(Index row, float least, float most, Index partner) {
    Row& mine = rows_[row];
    while (mine.busy.test_and_set(std::memory_order_acquire)) std::this_thread::yield();
    Candidate* first = candidates(row);
    first[mine.filled++] = {least, most, static_cast<std::uint32_t>(partner)};
    if (mine.filled == capacity_) squeeze(row);
    const float floor = mine.floor.load(std::memory_order_relaxed);
    mine.busy.clear(std::memory_order_release);
    return floor;
  }

  // Hands the candidates that are left over, with their cosines times the sign, to
  // take(row, value, partner).
  template <class Take>
  void settle(const Team& team, const Take& take) {
    constexpr Index rows_a_piece = 64;
    const Index rows = std::ssize(rows_);
    team.run((rows + rows_a_piece - 1) / rows_a_piece, [&](Index piece, int) {
      const Index end = std::min(rows, (piece + 1) * rows_a_piece);
      for (Index row = piece * rows_a_piece; row < end; ++row) {
        drop_below_floor(row);
        make_exact(row);
        for (Index c = 0; c < rows_[row].filled; ++c)
          take(row, candidates(row)[c].least, candidates(row)[c].partner);
      }
    });
  }

 private:
  struct Candidate {
    float least, most;
    std::uint32_t partner;
  };
  struct Row {
    std::atomic<float> floor{-std::numeric_limits<float>::infinity()};
    std::int32_t filled = 0;
    std::atomic_flag busy;
  };

  Candidate* candidates(Index row) const { return candidates_.data() + row * capacity_; }

  void drop_below_floor(Index row) {
    Row& mine = rows_[row];
    Candidate* first = candidates(row);
    if (mine.filled >= k_) {
      std::nth_element(first, first + k_ - 1, first + mine.filled,
                       [](const Candidate& a, const Candidate& b) { return a.least > b.least; });
      mine.floor = std::max(mine.floor.load(), first[k_ - 1].least);
    }
    const float floor = mine.floor;
    mine.filled = static_cast<std::int32_t>(
        std::remove_if(first, first + mine.filled,
                       [&](const Candidate& c) { return c.most < floor; }) -
        first);
  }

  // Makes room for more.
  void squeeze(Index row) {
    constexpr Index room = 8;
    drop_below_floor(row);
    Row& mine = rows_[row];
    if (mine.filled + room <= capacity_) return;
    // The screen cannot tell so many apart.
    make_exact(row);
    Candidate* first = candidates(row);
    std::nth_element(first, first + k_ - 1, first + mine.filled,
                     [](const Candidate& a, const Candidate& b) {
                       return a.least > b.least || (a.least == b.least && a.partner < b.partner);
                     });
    mine.filled = static_cast<std::int32_t>(k_);
    mine.floor = first[k_ - 1].least;
  }

  void make_exact(Index row) {
    constexpr Index batch = 64;
    Index i[batch], j[batch];
    float cosines[batch];
    Candidate* open[batch];
    Index count = 0;
    const auto make = [&] {
      exact_.cosines(i, j, count, cosines);
      for (Index c = 0; c < count; ++c) open[c]->least = open[c]->most = sign_ * cosines[c];
      count = 0;
    };
    for (Index c = 0; c < rows_[row].filled; ++c) {
      Candidate& candidate = candidates(row)[c];
      if (candidate.least == candidate.most) continue;  // was made before
      std::tie(i[count], j[count]) = exact_.place(row, candidate.partner);
      open[count++] = &candidate;
      if (count == batch) make();
    }
    if (count > 0) make();
  }

  Index k_, capacity_;
  float sign_;
  ExactCells exact_;
  std::vector<Row> rows_;
  Buffer<Candidate> candidates_;
};

}  // namespace wellgram
