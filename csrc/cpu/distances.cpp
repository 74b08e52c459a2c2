// distance_sums and group_distances: Euclidean distances, added up and never stored.
//
// distance_sums    2 n m d flops in float64 on register tiles, and n m square roots. A chunk is 64
//                  rows of x, packed; the rows of y pass by, packed once (m d values).
// group_distances  half of that within each group. Groups of up to 512 rows are shared among
//                  threads whole; larger ones are cut into chunks of 64 rows.
//
// A squared distance is |x|^2 + |y|^2 - 2 x y, taken about a centre so that little cancels. Where
// much does, or the squares leave the range of doubles, the pair is taken from differences instead.
#include <algorithm>
#include <cmath>

#include "cpu/apart.hpp"
#include "cpu/kernels.hpp"
#include "cpu/panels.hpp"
#include "cpu/primitives.hpp"

namespace wellgram {

namespace {

constexpr Index chunk_rows = 64;

// Whether a squared distance keeps 36 bits: it is no small part of the squares `both` that it is
// the difference of, and these are far from what doubles can hold.
inline bool is_kept(double squared, double both) {
  return squared > 0x1p-16 * both && both > 0x1p-900 && both < 0x1p900;
}

// Rows of a matrix, chosen and centred, packed as right operands, with their squared lengths.
template <class T>
struct Right {
  Right(View<const T> x, const Index* rows, Index count, const double* centre, const Team& team)
      : panels(
            count, kernels<double>().tile_columns, x.columns,
            [&](Index v, Index k) {
              return static_cast<double>(x.row(rows == nullptr ? v : rows[v])[k]) - centre[k];
            },
            team),
        squares(count),
        x(x),
        rows(rows) {
    const Index wide = kernels<double>().tile_columns;
    for (Index v = 0; v < count; ++v)
      for (Index k = 0; k < x.columns; ++k) {
        const double value = panels[v / wide][k * wide + v % wide];
        squares[v] += value * value;
      }
  }
  const T* row(Index v) const { return x.row(rows == nullptr ? v : rows[v]); }

  Panels<double> panels;
  std::vector<double> squares;
  View<const T> x;
  const Index* rows;
};

// Adds to sums[i] the distances of row first + i, i < count, to the rows of `right`, or only to
// those after itself where both are the same rows.
template <class T>
void add_distances(View<const T> x, const Index* rows, Index first, Index count,
                   const double* centre, const Right<T>& right, bool same, double* sums) {
  const Index tall = kernels<double>().tile_rows, wide = kernels<double>().tile_columns;
  const Index d = x.columns, others = static_cast<Index>(right.squares.size());
  const auto row = [&](Index i) { return x.row(rows == nullptr ? first + i : rows[first + i]); };
  Buffer<double> packed(panel_count(count, tall) * tall * d);
  std::vector<double> squares(count);
  for (Index p = 0; p * tall < count; ++p)
    pack_panel(p * tall, count, tall, d, packed.data() + p * tall * d, [&](Index i, Index k) {
      const double value = static_cast<double>(row(i)[k]) - centre[k];
      squares[i] += value * value;
      return value;
    });
  alignas(64) double tile[max_tile];
  double distances[max_tile];
  for (Index q = same ? first / wide : 0; q * wide < others; ++q)
    for (Index p = 0; p * tall < count; ++p) {
      products<double>().gram_tile(packed.data() + p * tall * d, right.panels[q], d, tile, nullptr);
      const Index last = std::min(others, (q + 1) * wide),
                  present = std::min(tall, count - p * tall);
      for (Index j = q * wide; j < last; ++j) {
        const double* cells = tile + (j - q * wide) * tall;
        const Index stop = same ? std::clamp<Index>(j - first - p * tall, 0, present) : present;
        const double* lengths = squares.data() + p * tall;
        bool kept = true;
        for (Index i = 0; i < stop; ++i) {
          const double both = lengths[i] + right.squares[j], squared = both - 2 * cells[i];
          kept &= is_kept(squared, both);
          distances[i] = std::sqrt(std::max(squared, 0.0));
        }
        for (Index i = 0; !kept && i < stop; ++i) {
          const double both = lengths[i] + right.squares[j];
          if (!is_kept(both - 2 * cells[i], both))
            distances[i] = apart(row(p * tall + i), right.row(j), d);
        }
        for (Index i = 0; i < stop; ++i) sums[p * tall + i] += distances[i];
      }
    }
}

}  // namespace

template <class T>
void distance_sums(View<const T> x, View<const T> y, const double* centre, double* sums,
                   const Team& team) {
  const Right<T> right(y, nullptr, y.rows, centre, team);
  std::fill_n(sums, x.rows, 0.0);
  team.run_reported((x.rows + chunk_rows - 1) / chunk_rows, [&](Index chunk, int) {
    const Index first = chunk * chunk_rows;
    add_distances(x, nullptr, first, std::min(chunk_rows, x.rows - first), centre, right, false,
                  sums + first);
  });
}

template <class T>
void group_distances(View<const T> x, const Groups& groups, const double* centre, double* sums,
                     const Team& team) {
  constexpr Index small = 512;
  const Team alone(1, nullptr);
  const auto within = [&](Index g, Index first, const Right<T>& right) {
    double rows[chunk_rows] = {};
    const Index count = std::min(chunk_rows, groups.size(g) - first);
    add_distances(x, groups.rows(g), first, count, centre, right, true, rows);
    double sum = 0;
    for (Index i = 0; i < count; ++i) sum += rows[i];
    return sum;
  };
  team.run(groups.count(), [&](Index g, int) {
    sums[g] = 0;
    if (groups.size(g) < 2 || groups.size(g) > small) return;
    const Right<T> right(x, groups.rows(g), groups.size(g), centre, alone);
    for (Index first = 0; first < groups.size(g); first += chunk_rows)
      sums[g] += within(g, first, right);
  });
  for (Index g = 0; g < groups.count(); ++g) {
    if (groups.size(g) <= small) continue;
    const Right<T> right(x, groups.rows(g), groups.size(g), centre, team);
    std::vector<double> parts((groups.size(g) + chunk_rows - 1) / chunk_rows);
    team.run(static_cast<Index>(parts.size()),
             [&](Index chunk, int) { parts[chunk] = within(g, chunk * chunk_rows, right); });
    for (const double part : parts) sums[g] += part;
  }
}

#define INSTANTIATE(T)                                                                            \
  template void distance_sums(View<const T>, View<const T>, const double*, double*, const Team&); \
  template void group_distances(View<const T>, const Groups&, const double*, double*, const Team&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace wellgram
