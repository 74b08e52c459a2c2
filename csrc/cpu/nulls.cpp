// null_means: mean pairwise cosines of random sets of unit rows.
//
// draws * size * d additions in float64 of rows gathered at random: memory-bound, size rows of
// d sizeof(T) bytes a draw; but large sets are added up together, a block of rows for all of
// them while it is in cache. A set is drawn by the first steps of a shuffle, which are undone
// after, so a draw costs no more than its rows. A chunk is 4 to 64 draws.
#include <algorithm>
#include <numeric>

#include "cpu/kernels.hpp"
#include "cpu/mean_cosine.hpp"
#include "cpu/primitives.hpp"
#include "cpu/shuffle.hpp"

namespace wellgram {

namespace {

using Set = std::vector<Index>;

// The sums of several sets at a time, from one place of each to another.
template <class T>
class Sums {
 public:
  Sums(View<const T> x, Index most) : x_(x), sums_(most), sorted_(most), starts_(most) {}

  void begin(Index sets) {
    for (Index s = 0; s < sets; ++s) sums_[s].assign(x_.columns, 0.0);
  }

  void add(const std::vector<Set>& sets, Index count, Index from, Index to) {
    const bool several_a_block = to - from >= x_.rows / 64;
    if (!several_a_block) {
      for (Index s = 0; s < count; ++s) add_in_turn(sets[s], from, to, sums_[s].data());
      return;
    }
    for (Index s = 0; s < count; ++s) sort_by_block(sets[s], from, to, s);
    for (Index b = 0; b < blocks(); ++b)
      for (Index s = 0; s < count; ++s)
        for (Index i = starts_[s][b]; i < starts_[s][b + 1]; ++i)
          kernel_.add_row(x_.row(sorted_[s][i]), x_.columns, sums_[s].data());
  }

  double mean(Index s, Index size) const {
    return mean_cosine(kernels<double>().sum_of_squares(sums_[s].data(), x_.columns), size);
  }

 private:
  // Rows lie anywhere in memory, so they are sent for some steps before they are added.
  void add_in_turn(const Set& set, Index from, Index to, double* sum) const {
    constexpr Index ahead = 8, line = 64 / sizeof(T);
    const auto send_for = [&](Index i) {
      for (Index k = 0; k < x_.columns; k += line) __builtin_prefetch(x_.row(set[i]) + k);
    };
    for (Index i = from; i < std::min(from + ahead, to); ++i) send_for(i);
    for (Index i = from; i < to; ++i) {
      if (i + ahead < to) send_for(i + ahead);
      kernel_.add_row(x_.row(set[i]), x_.columns, sum);
    }
  }

  // By counting: the rows of a block stay in cache while all sets take theirs.
  void sort_by_block(const Set& set, Index from, Index to, Index s) {
    std::vector<Index>& starts = starts_[s];
    starts.assign(blocks() + 1, 0);
    for (Index i = from; i < to; ++i) ++starts[set[i] / block_rows + 1];
    std::partial_sum(starts.begin(), starts.end(), starts.begin());
    std::vector<Index> next(starts.begin(), starts.end() - 1);
    sorted_[s].resize(to - from);
    for (Index i = from; i < to; ++i) sorted_[s][next[set[i] / block_rows]++] = set[i];
  }

  static constexpr Index block_rows = 256;
  Index blocks() const { return (x_.rows + block_rows - 1) / block_rows; }

  View<const T> x_;
  const Kernels<T>& kernel_ = kernels<T>();
  std::vector<std::vector<double>> sums_;
  std::vector<Set> sorted_;
  std::vector<std::vector<Index>> starts_;
};

}  // namespace

template <class T>
void null_means(View<const T> x, const Index* pool, const std::vector<Index>& strata,
                const std::vector<Index>& taken, const std::vector<Index>& sizes, Seed seed,
                Index first, View<double> means, const Team& team) {
  // Few enough sets at a time to be interrupted between them.
  const Index together = std::clamp<Index>((Index{1} << 21) / sizes.back(), 4, 64);
  const Index draws = means.columns;
  std::vector<Shuffle> shuffles(team.threads(), Shuffle(pool, strata, taken));
  std::vector<Sums<T>> sums(team.threads(), Sums<T>(x, together));
  std::vector<std::vector<Set>> sets(team.threads(), std::vector<Set>(together, Set(sizes.back())));

  team.run_reported((draws + together - 1) / together, [&](Index chunk, int worker) {
    const Index done = chunk * together, count = std::min(together, draws - done);
    for (Index s = 0; s < count; ++s) {
      const auto index = static_cast<std::uint32_t>(first + done + s);
      shuffles[worker].draw(Draw(seed.value, seed.stream, index), sets[worker][s]);
    }
    sums[worker].begin(count);
    Index from = 0;
    for (std::size_t q = 0; q < sizes.size(); from = sizes[q++]) {
      sums[worker].add(sets[worker], count, from, sizes[q]);
      for (Index s = 0; s < count; ++s) means.row(q)[done + s] = sums[worker].mean(s, sizes[q]);
    }
  });
}

#define INSTANTIATE(T)                                                                        \
  template void null_means(View<const T>, const Index*, const std::vector<Index>&,            \
                           const std::vector<Index>&, const std::vector<Index>&, Seed, Index, \
                           View<double>, const Team&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace wellgram
