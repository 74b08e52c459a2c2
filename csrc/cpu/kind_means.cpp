// kind_means: mean pairwise cosines of random sets of several kinds that share shuffles.
//
// Rows are added once for each stratum and draw, in float64, up to the largest count that a kind
// takes; the sums at the counts that kinds take are kept, and a kind adds one sum per stratum
// instead of its rows. A strip of columns at a time: that of a stratum's rows stays in cache for
// all draws of a chunk, and so do the sums of a draw for all kinds. A chunk is 1 to 64 draws.
#include <algorithm>

#include "cpu/buffer.hpp"
#include "cpu/mean_cosine.hpp"
#include "cpu/set_kinds.hpp"

namespace wellgram {

namespace {

constexpr Index strip = 64;

struct Worker {
  Worker(const SetKinds& kinds, const Segments& segments, Index draws)
      : shuffles(kinds, segments),
        rows(draws * std::max<Index>(1, segments.rows())),
        sums(draws * std::max<Index>(1, segments.count()) * strip),
        squares(draws * kinds.count()) {
    Index most = 0;
    for (std::size_t s = 0; s < kinds.strata.size(); ++s)
      most = std::max(most, segments.drawn(static_cast<Index>(s)));
    of_stratum.resize(most);
  }

  StratumShuffles shuffles;
  std::vector<Index> of_stratum;
  Buffer<Index> rows;      // stratum after stratum, in each draw after draw
  Buffer<double> sums;     // of a strip: draw after draw, segment after segment
  Buffer<double> squares;  // of the sums of kinds, draw after draw
};

}  // namespace

template <class T>
void kind_means(View<const T> x, const SetKinds& kinds, std::uint64_t seed, Index first,
                View<double> means, const Team& team) {
  constexpr Index chunk_bytes = 64 << 20, most_together = 256;
  const Segments segments(kinds);
  const Index draws = means.columns, strata = static_cast<Index>(kinds.strata.size());
  const Index sums_a_draw = std::max<Index>(1, segments.count()) * strip;
  const Index bytes_a_draw = static_cast<Index>(sizeof(double)) * (sums_a_draw + segments.rows());
  const Index together = std::clamp<Index>(chunk_bytes / bytes_a_draw, 1, most_together);
  std::vector<Index> segment_of(kinds.taken.size());
  for (std::size_t p = 0; p < segment_of.size(); ++p)
    segment_of[p] = segments.of_part(static_cast<Index>(p));
  std::vector<Index> sizes(kinds.count());
  for (Index k = 0; k < kinds.count(); ++k)
    sizes[k] = std::accumulate(kinds.taken.begin() + kinds.starts[k],
                               kinds.taken.begin() + kinds.starts[k + 1], Index{0});
  std::vector<Worker> workers;
  for (int w = 0; w < team.threads(); ++w) workers.emplace_back(kinds, segments, together);

  const auto draw_rows = [&](Worker& worker, Index done, Index count) {
    Index* rows = worker.rows.data();
    for (Index s = 0; s < strata; ++s)
      for (Index r = 0; r < count && segments.drawn(s) > 0; ++r, rows += segments.drawn(s)) {
        worker.shuffles.draw(s, seed, first + done + r, worker.of_stratum);
        std::copy_n(worker.of_stratum.begin(), segments.drawn(s), rows);
      }
  };

  const auto add_strip = [&](Worker& worker, Index count, Index column, Index width, int thread) {
    const Index* rows = worker.rows.data();
    for (Index s = 0; s < strata; ++s) {
      if (segments.drawn(s) == 0) continue;
      for (Index r = 0; r < count; ++r, rows += segments.drawn(s))
        for (Index g = segments.first(s); g < segments.last(s); ++g) {
          double* sum = worker.sums.data() + r * sums_a_draw + g * strip;
          if (g == segments.first(s))
            std::fill_n(sum, width, 0.0);
          else
            std::copy_n(sum - strip, width, sum);
          kernels<T>().add_rows(x.data + column, x.stride, rows + segments.begin(g),
                                segments.size(g), width, sum);
        }
      team.look(thread);
    }
  };

  const auto square_strip = [&](Worker& worker, Index count, Index width) {
    double whole[strip];
    for (Index r = 0; r < count; ++r) {
      const double* sums = worker.sums.data() + r * sums_a_draw;
      for (Index k = 0; k < kinds.count(); ++k) {
        const Index part = kinds.starts[k], parts = kinds.starts[k + 1] - part;
        std::fill_n(whole, width, 0.0);
        kernels<double>().add_rows(sums, strip, segment_of.data() + part, parts, width, whole);
        worker.squares.data()[r * kinds.count() + k] +=
            kernels<double>().sum_of_squares(whole, width);
      }
    }
  };

  team.run_reported((draws + together - 1) / together, [&](Index chunk, int thread) {
    Worker& worker = workers[thread];
    const Index done = chunk * together, count = std::min(together, draws - done);
    draw_rows(worker, done, count);
    std::fill_n(worker.squares.data(), count * kinds.count(), 0.0);
    for (Index column = 0; column < x.columns; column += strip) {
      const Index width = std::min(strip, x.columns - column);
      add_strip(worker, count, column, width, thread);
      square_strip(worker, count, width);
    }
    for (Index r = 0; r < count; ++r)
      for (Index k = 0; k < kinds.count(); ++k)
        means.row(k)[done + r] =
            mean_cosine(worker.squares.data()[r * kinds.count() + k], sizes[k]);
  });
}

#define INSTANTIATE(T)                                                                         \
  template void kind_means(View<const T>, const SetKinds&, std::uint64_t, Index, View<double>, \
                           const Team&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace wellgram
