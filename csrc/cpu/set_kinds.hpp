// Random sets of several kinds that share shuffles: each stratum of a pool is shuffled once a draw,
// and the set of a kind is the beginning of the shuffles of some strata.
#pragma once

#include <algorithm>
#include <vector>

#include "cpu/primitives.hpp"
#include "cpu/shuffle.hpp"

namespace wellgram {

// The shuffles, cut where the set of some kind ends, so that every set is a number of whole
// segments. Segments are numbered stratum after stratum.
class Segments {
 public:
  explicit Segments(const SetKinds& kinds) : kinds_(kinds), first_{0} {
    std::vector<std::vector<Index>> ends(kinds.strata.size());
    for (std::size_t p = 0; p < kinds.taken.size(); ++p)
      ends[kinds.stratum[p]].push_back(kinds.taken[p]);
    for (auto& of_stratum : ends) {
      std::sort(of_stratum.begin(), of_stratum.end());
      of_stratum.erase(std::unique(of_stratum.begin(), of_stratum.end()), of_stratum.end());
      if (!of_stratum.empty()) begins_.push_back(0);
      for (std::size_t g = 1; g < of_stratum.size(); ++g) begins_.push_back(of_stratum[g - 1]);
      ends_.insert(ends_.end(), of_stratum.begin(), of_stratum.end());
      first_.push_back(static_cast<Index>(ends_.size()));
    }
  }

  Index count() const { return static_cast<Index>(ends_.size()); }
  Index first(Index stratum) const { return first_[stratum]; }
  Index last(Index stratum) const { return first_[stratum + 1]; }

  // Where a segment begins and ends, counted from the beginning of its shuffle.
  Index begin(Index segment) const { return begins_[segment]; }
  Index end(Index segment) const { return ends_[segment]; }
  Index size(Index segment) const { return end(segment) - begin(segment); }

  // How many rows are drawn of a stratum.
  Index drawn(Index stratum) const {
    return first(stratum) == last(stratum) ? 0 : ends_[last(stratum) - 1];
  }

  // How many rows are drawn in all.
  Index rows() const {
    Index sum = 0;
    for (Index s = 0; s + 1 < static_cast<Index>(first_.size()); ++s) sum += drawn(s);
    return sum;
  }

  // The segment that ends where part p of the kinds does.
  Index of_part(Index p) const {
    const auto from = ends_.begin() + first(kinds_.stratum[p]);
    const auto to = ends_.begin() + last(kinds_.stratum[p]);
    return std::lower_bound(from, to, kinds_.taken[p]) - ends_.begin();
  }

 private:
  const SetKinds& kinds_;
  std::vector<Index> first_, begins_, ends_;
};

// What a thread needs to draw of each stratum.
class StratumShuffles {
 public:
  StratumShuffles(const SetKinds& kinds, const Segments& segments) : kinds_(kinds) {
    const Index* own = kinds.pool;
    sizes_.reserve(kinds.strata.size());
    taken_.reserve(kinds.strata.size());
    for (std::size_t s = 0; s < kinds.strata.size(); own += kinds.strata[s++]) {
      sizes_.push_back({kinds.strata[s]});
      taken_.push_back({segments.drawn(static_cast<Index>(s))});
      shuffles_.emplace_back(own, sizes_.back(), taken_.back());
    }
  }
  // Shuffles refer to the vectors beside them.
  StratumShuffles(const StratumShuffles&) = delete;
  StratumShuffles& operator=(const StratumShuffles&) = delete;
  StratumShuffles(StratumShuffles&&) = default;

  // Draws the rows of a stratum; there is room for them.
  void draw(Index stratum, std::uint64_t seed, Index index, std::vector<Index>& rows) {
    shuffles_[stratum].draw(Draw(seed, kinds_.streams[stratum], static_cast<std::uint32_t>(index)),
                            rows);
  }

 private:
  const SetKinds& kinds_;
  std::vector<std::vector<Index>> sizes_, taken_;
  std::vector<Shuffle> shuffles_;
};

}  // namespace wellgram
