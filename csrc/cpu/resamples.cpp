// resample_counts: bootstrap resamples as counts. A random number a draw; a chunk is one resample.
#include <algorithm>

#include "common/philox.hpp"
#include "cpu/primitives.hpp"

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

}  // namespace wellgram
