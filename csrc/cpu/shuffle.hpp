// Random sets: the first steps of a shuffle of each stratum, undone afterwards, so that a draw
// costs no more than what it takes.
#pragma once

#include <numeric>
#include <utility>
#include <vector>

#include "common/philox.hpp"
#include "common/view.hpp"

namespace wellgram {

// The places of pools of these sizes, 0, 1, ... in each: what is shuffled where sets are of places.
inline std::vector<Index> places_of(const std::vector<Index>& sizes) {
  std::vector<Index> places;
  for (const Index size : sizes)
    for (Index i = 0; i < size; ++i) places.push_back(i);
  return places;
}

class Shuffle {
 public:
  Shuffle(const Index* pool, const std::vector<Index>& strata, const std::vector<Index>& taken)
      : strata_(strata),
        taken_(taken),
        order_(pool, pool + std::accumulate(strata.begin(), strata.end(), Index{0})),
        swapped_(std::accumulate(taken.begin(), taken.end(), Index{0})) {}

  void draw(Draw numbers, std::vector<Index>& set) {
    std::size_t drawn = 0;
    Index* own = order_.data();
    for (std::size_t s = 0; s < strata_.size(); own += strata_[s++])
      for (Index i = 0; i < taken_[s]; ++i) {
        const Index j = i + static_cast<Index>(numbers.under(strata_[s] - i));
        swapped_[drawn] = j;
        std::swap(own[i], own[j]);
        set[drawn++] = own[i];
      }
    for (std::size_t s = strata_.size(); s-- > 0;) {
      own -= strata_[s];
      for (Index i = taken_[s]; i-- > 0;) std::swap(own[i], own[swapped_[--drawn]]);
    }
  }

 private:
  const std::vector<Index>&strata_, &taken_;
  std::vector<Index> order_, swapped_;
};

}  // namespace wellgram
