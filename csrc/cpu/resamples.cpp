// resample_counts and random_subsets: bootstrap resamples as counts, and sets drawn of pools. A
// random number for each thing drawn; a chunk is one resample, or 256 sets.
#include <algorithm>

#include "cpu/primitives.hpp"
#include "cpu/shuffle.hpp"

namespace wellgram {

void resample_counts(Index first, Seed seed, View<std::int32_t> times, const Team& team) {
  const auto items = static_cast<std::uint64_t>(times.columns);
  team.run(times.rows, [&](Index r, int) {
    std::int32_t* counts = times.row(r);
    std::fill_n(counts, items, 0);
    Draw numbers(seed.value, seed.stream, static_cast<std::uint32_t>(first + r));
    for (std::uint64_t i = 0; i < items; ++i) ++counts[numbers.under(items)];
  });
}

void random_subsets(const std::vector<Index>& pools, const std::vector<Index>& taken, Seed seed,
                    Index first, View<Index> places, const Team& team) {
  constexpr Index together = 256;
  const std::vector<Index> every = places_of(pools);
  std::vector<Shuffle> shuffles(team.threads(), Shuffle(every.data(), pools, taken));
  std::vector<std::vector<Index>> sets(team.threads(), std::vector<Index>(places.columns));
  team.run((places.rows + together - 1) / together, [&](Index chunk, int worker) {
    for (Index r = chunk * together; r < std::min(places.rows, (chunk + 1) * together); ++r) {
      shuffles[worker].draw(Draw(seed.value, seed.stream, static_cast<std::uint32_t>(first + r)),
                            sets[worker]);
      std::copy(sets[worker].begin(), sets[worker].end(), places.row(r));
    }
  });
}

}  // namespace wellgram
