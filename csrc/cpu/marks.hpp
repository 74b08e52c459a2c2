// A set of places as bits, read in ascending order.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "common/view.hpp"

namespace wellgram {

class Marks {
 public:
  explicit Marks(Index places) : words_(static_cast<std::size_t>(places + 63) / 64) {}

  void clear() { std::fill(words_.begin(), words_.end(), 0); }
  void set(Index place) { words_[place / 64] |= bit(place); }
  void unset(Index place) { words_[place / 64] &= ~bit(place); }
  bool has(Index place) const { return (words_[place / 64] & bit(place)) != 0; }

  template <class Visit>
  void each(const Visit& visit) const {
    for (std::size_t w = 0; w < words_.size(); ++w)
      for (std::uint64_t bits = words_[w]; bits != 0; bits &= bits - 1)
        visit(static_cast<Index>(64 * w) + std::countr_zero(bits));
  }

 private:
  static std::uint64_t bit(Index place) { return std::uint64_t{1} << (place % 64); }

  std::vector<std::uint64_t> words_;
};

}  // namespace wellgram
