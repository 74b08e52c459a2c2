// null_precisions: average precisions of random rankings.
//
// A ranking is the places of its positives, or of its negatives where those are fewer: the first
// steps of a shuffle, kept as bits and read in order. draws * (min(p, n - p) random numbers + n /
// 64 words). A chunk is 64 draws.
#include <algorithm>

#include "cpu/marks.hpp"
#include "cpu/primitives.hpp"
#include "cpu/shuffle.hpp"

namespace wellgram {

namespace {

// The mean over positives t = 1, 2, ... of t / rank.
double precision_of_positives(const Marks& places) {
  double sum = 0;
  Index t = 0;
  places.each([&](Index place) {
    ++t;
    sum += static_cast<double>(t) / static_cast<double>(place + 1);
  });
  return sum / static_cast<double>(t);
}

// The same from the places of the negatives. Of the positives after c of them, from the (a + 1)-th
// to the b-th, the sum is that of t / (t + c) = (b - a) - c (H(b + c) - H(a + c)), H the harmonic
// numbers.
double precision_of_negatives(const Marks& places, Index positives,
                              const std::vector<double>& harmonic) {
  double sum = 0;
  Index a = 0, c = 0;
  const auto run_to = [&](Index b) {
    sum +=
        static_cast<double>(b - a) - static_cast<double>(c) * (harmonic[b + c] - harmonic[a + c]);
    a = b;
  };
  places.each([&](Index place) {
    run_to(place - c);
    ++c;
  });
  run_to(positives);
  return sum / static_cast<double>(positives);
}

}  // namespace

void null_precisions(Index positives, Index total, Index draws, Seed seed, double* precisions,
                     const Team& team) {
  constexpr Index together = 64;
  const bool by_positives = positives <= total - positives;
  const std::vector<Index> strata{total}, taken{by_positives ? positives : total - positives};
  const std::vector<Index> pool = places_of(strata);
  std::vector<double> harmonic(by_positives ? 0 : total + 1);
  for (std::size_t n = 1; n < harmonic.size(); ++n)
    harmonic[n] = harmonic[n - 1] + 1 / static_cast<double>(n);
  const int threads = team.threads();
  std::vector<Shuffle> shuffles(threads, Shuffle(pool.data(), strata, taken));
  std::vector<std::vector<Index>> sets(threads, std::vector<Index>(taken[0]));
  std::vector<Marks> marks(threads, Marks(total));
  team.run((draws + together - 1) / together, [&](Index chunk, int worker) {
    for (Index r = chunk * together; r < std::min(draws, (chunk + 1) * together); ++r) {
      shuffles[worker].draw(Draw(seed.value, seed.stream, static_cast<std::uint32_t>(r)),
                            sets[worker]);
      marks[worker].clear();
      for (const Index place : sets[worker]) marks[worker].set(place);
      precisions[r] = by_positives ? precision_of_positives(marks[worker])
                                   : precision_of_negatives(marks[worker], positives, harmonic);
    }
  });
}

}  // namespace wellgram
