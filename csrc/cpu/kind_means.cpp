// kind_means: mean pairwise cosines of random sets of several kinds that share shuffles.
//
// Rows are added once for each stratum and draw, in float64, up to the largest count that a kind
// takes; the sums at the counts that kinds take are kept, and a kind adds one sum per stratum
// instead of its rows. A chunk is 1 to 32 draws: the rows of a stratum stay in cache for all of
// them, while the sums that are kept fill some megabytes.
#include <algorithm>

#include "cpu/buffer.hpp"
#include "cpu/mean_cosine.hpp"
#include "cpu/set_kinds.hpp"

namespace wellgram {

namespace {

struct Worker {
  Worker(const SetKinds& kinds, const Segments& segments, Index sums_kept, Index columns)
      : shuffles(kinds, segments), sums(sums_kept), whole(columns) {
    Index most = 0;
    for (std::size_t s = 0; s < kinds.strata.size(); ++s)
      most = std::max(most, segments.drawn(static_cast<Index>(s)));
    rows.resize(most);
  }

  StratumShuffles shuffles;
  Buffer<double> sums;
  std::vector<double> whole;
  std::vector<Index> rows;
};

}  // namespace

template <class T>
void kind_means(View<const T> x, const SetKinds& kinds, std::uint64_t seed, Index first,
                View<double> means, const Team& team) {
  constexpr Index chunk_bytes = 24 << 20, most_together = 32;
  const Segments segments(kinds);
  const Index d = x.columns, stride = (d + 7) / 8 * 8, draws = means.columns;
  const Index draw_values = std::max<Index>(1, segments.count()) * stride;
  const Index together = std::clamp<Index>(
      chunk_bytes / (draw_values * static_cast<Index>(sizeof(double))), 1, most_together);
  std::vector<Index> segment_of(kinds.taken.size());
  for (std::size_t p = 0; p < segment_of.size(); ++p)
    segment_of[p] = segments.of_part(static_cast<Index>(p));
  std::vector<Index> sizes(kinds.count());
  for (Index k = 0; k < kinds.count(); ++k)
    sizes[k] = std::accumulate(kinds.taken.begin() + kinds.starts[k],
                               kinds.taken.begin() + kinds.starts[k + 1], Index{0});
  std::vector<Worker> workers;
  for (int w = 0; w < team.threads(); ++w)
    workers.emplace_back(kinds, segments, together * draw_values, d);

  team.run_reported((draws + together - 1) / together, [&](Index chunk, int worker) {
    Worker& own = workers[worker];
    const Index done = chunk * together, count = std::min(together, draws - done);
    const auto sum_of = [&](Index draw, Index segment) {
      return own.sums.data() + draw * draw_values + segment * stride;
    };
    for (Index s = 0; s < static_cast<Index>(kinds.strata.size()); ++s) {
      if (segments.drawn(s) == 0) continue;
      for (Index r = 0; r < count; ++r) {
        own.shuffles.draw(s, seed, first + done + r, own.rows);
        Index from = 0;
        for (Index g = segments.first(s); g < segments.last(s); from = segments.end(g++)) {
          double* sum = sum_of(r, g);
          if (from == 0)
            std::fill_n(sum, d, 0.0);
          else
            std::copy_n(sum_of(r, g - 1), d, sum);
          kernels<T>().add_rows(x.data, x.stride, own.rows.data() + from, segments.end(g) - from, d,
                                sum);
        }
      }
      team.look(worker);
    }
    for (Index r = 0; r < count; ++r)
      for (Index k = 0; k < kinds.count(); ++k) {
        const Index part = kinds.starts[k], parts = kinds.starts[k + 1] - part;
        const double* sum = sum_of(r, segment_of[part]);
        if (parts > 1) {
          std::fill(own.whole.begin(), own.whole.end(), 0.0);
          kernels<double>().add_rows(sum_of(r, 0), stride, segment_of.data() + part, parts, d,
                                     own.whole.data());
          sum = own.whole.data();
        }
        means.row(k)[done + r] = mean_cosine(sum, d, sizes[k]);
      }
  });
}

#define INSTANTIATE(T)                                                                         \
  template void kind_means(View<const T>, const SetKinds&, std::uint64_t, Index, View<double>, \
                           const Team&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace wellgram
