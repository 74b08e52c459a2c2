// What the ranks of given values need to know of them: the values as keys, which bin and which line
// each is in, and empty tables of counters.
#pragma once

#include <algorithm>
#include <vector>

#include "cpu/buffer.hpp"
#include "cpu/consumers/consumer.hpp"

namespace wellgram {

template <class T>
struct RankTables {
  std::vector<std::uint8_t, PageAllocator<std::uint8_t>> bins;
  std::vector<RankLine<T>, PageAllocator<RankLine<T>>> lines;
};

template <class T>
class RankKeys {
 public:
  explicit RankKeys(const Ranks& recipe) : recipe(recipe), keeps(recipe.values.size() + 1) {
    place_keys();
    for (const auto& [first, last] : recipe.kept)
      std::fill(&keeps[first], &keeps[last] + 1, std::uint8_t(1));
    for (const double value : recipe.values) keys.push_back(ordered(key_of(value)));
    keys.push_back(std::numeric_limits<Ordered<T>>::max());
  }

  Index count() const { return std::ssize(bin); }
  // A bin that no cosine falls into: NaN's.
  std::int32_t spare_bin() const { return static_cast<std::int32_t>(grid.bins()) - 1; }
  // Whether a value can be met at all: its key is the cosine next below if not.
  bool is_cosine(Index k) const {
    return static_cast<double>(key_of(recipe.values[k])) == recipe.values[k];
  }

  // Calls each(line, first key, how many keys), as whole lines in order.
  template <class Each>
  void over_lines(std::vector<RankLine<T>, PageAllocator<RankLine<T>>>& lines,
                  const Each& each) const {
    for (std::size_t line = 0; line < lines.size(); ++line)
      each(lines[line], first_key[line], first_key[line + 1] - first_key[line]);
  }

  RankTables<T> empty_tables() const {
    RankTables<T> tables;
    tables.bins.resize(grid.bins());
    tables.lines.resize(first_key.size() - 1);
    for (const std::int32_t b : bin) tables.bins[b] = keyed_bin;
    for (const auto& [first, last] : recipe.kept)
      std::fill(first == 0 ? tables.bins.begin() : tables.bins.begin() + bin[first - 1],
                last == count() ? tables.bins.end() : tables.bins.begin() + bin[last] + 1,
                keyed_bin);
    over_lines(tables.lines, [&](RankLine<T>& line, std::uint32_t first, std::uint32_t own) {
      const bool fits = own < line_keys;
      std::fill_n(
          line.keys, line_keys,
          fits ? std::numeric_limits<Ordered<T>>::max() : std::numeric_limits<Ordered<T>>::min());
      if (!fits) return;
      std::copy_n(&keys[first], own, line.keys);
      for (std::uint32_t k = 0; k <= own; ++k) line.counts[k] = keeps[first + k] ? kept_count : 0;
    });
    return tables;
  }

  Ranks recipe;
  std::vector<std::uint8_t> keeps;       // of each key, and above all: whether those are kept
  std::vector<Ordered<T>> keys;          // and one more, the largest integer
  std::vector<std::int32_t> bin;         // of each key
  std::vector<std::uint32_t> first_key;  // of each line, and their number
  RankGrid<T> grid;

 private:
  // The largest cosine not above a value: other cosines compare with the one as with the other.
  static T key_of(double value) { return not_above<T>(value); }

  // Bins as dense as the keys, by their middle half. That is not taken for less than cosines
  // spread, or few keys would leave all others to a few bins, which would be full all the time.
  void place_keys() {
    constexpr Index bins_per_key = 16, least_bins = 8192, most_bins = Index(1) << 26;
    const Index count = std::ssize(recipe.values);
    std::vector<T> values(count + 16);  // find_bins reads whole vectors
    for (Index k = 0; k < count; ++k) values[k] = key_of(recipe.values[k]);
    const auto at = [&](Index k) { return std::clamp<double>(values[k], -2.0, 2.0); };
    const double spread = std::max(0.02, at(3 * count / 4) - at(count / 4));
    grid = {static_cast<T>(at(count / 2)), static_cast<T>(0.5 / spread),
            static_cast<T>(std::clamp(count * bins_per_key, least_bins, most_bins) / 2)};

    bin.resize(count + 16);
    kernels<T>().find_bins(values.data(), count, grid, bin.data());
    bin.resize(count);
    first_key.assign(((grid.bins() - 1) >> line_bins_log2) + 2, 0);
    for (const std::int32_t b : bin) ++first_key[(b >> line_bins_log2) + 1];
    for (std::size_t line = 1; line < first_key.size(); ++line)
      first_key[line] += first_key[line - 1];
  }
};

}  // namespace wellgram
