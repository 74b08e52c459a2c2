// row_distances, pair_distances, group_distance_sums: Euclidean distances from differences, so that
// those of nearly equal rows have all their digits.
//
// 3 d flops a pair on register tiles, and a root; of one set, of half of the pairs. A chunk is some
// panels of rows; all columns, packed once, stream past.
#include <algorithm>
#include <cmath>
#include <vector>

#include "cpu/kernels.hpp"
#include "cpu/panels.hpp"
#include "cpu/primitives.hpp"

namespace wellgram {

namespace {

constexpr Index panels_a_chunk = 4;

// Two packed sets, and all tiles of their pairs; of one set, the tiles that hold pairs i < j.
template <class T>
class DistanceTiles {
 public:
  template <class GetRow, class GetColumn>
  DistanceTiles(Index rows, Index columns, Index depth, bool one_set, bool half_squares,
                const GetRow& get_row, const GetColumn& get_column, const Team& team)
      : rows_(rows, wide, depth, get_row, team),
        columns_(columns, tall, depth, get_column, team),
        depth_(depth),
        one_set_(one_set),
        half_squares_(half_squares) {}

  // Calls absorb(first_row, first_column, tile, worker): tile[r * tall + c] is the distance of row
  // first_row + r and column first_column + c.
  template <class Absorb>
  void pass(const Team& team, const Absorb& absorb) const {
    team.run(panel_count(rows_.count(), panels_a_chunk), [&](Index chunk, int worker) {
      alignas(64) T tile[max_tile];
      const Index first = chunk * panels_a_chunk,
                  end = std::min(first + panels_a_chunk, rows_.count());
      for (Index q = one_set_ ? first * wide / tall : 0; q < columns_.count(); ++q)
        for (Index p = first; p < end; ++p) {
          if (one_set_ && (q + 1) * tall <= p * wide) continue;
          kernels<T>().distance_tile(columns_[q], rows_[p], depth_, half_squares_, tile);
          absorb(p * wide, q * tall, tile, worker);
        }
    });
  }

  const Index tall = kernels<T>().tile_rows, wide = kernels<T>().tile_columns;

 private:
  Panels<T> rows_, columns_;
  Index depth_;
  bool one_set_, half_squares_;
};

auto values_of(View<const double> x) {
  return [x](Index v, Index k) { return x.row(v)[k]; };
}

}  // namespace

void row_distances(View<const double> x, View<const double> y, bool half_squares,
                   View<double> distances, const Team& team) {
  const DistanceTiles<double> tiles(x.rows, y.rows, x.columns, false, half_squares, values_of(x),
                                    values_of(y), team);
  tiles.pass(team, [&](Index row, Index column, const double* tile, int) {
    const Index rows = std::min(tiles.wide, x.rows - row),
                columns = std::min(tiles.tall, y.rows - column);
    for (Index r = 0; r < rows; ++r)
      std::copy_n(tile + r * tiles.tall, columns, distances.row(row + r) + column);
  });
}

void pair_distances(View<const double> x, bool half_squares, double* distances, const Team& team) {
  const Index n = x.rows;
  const DistanceTiles<double> tiles(n, n, x.columns, true, half_squares, values_of(x), values_of(x),
                                    team);
  tiles.pass(team, [&](Index row, Index column, const double* tile, int) {
    const Index rows = std::min(tiles.wide, n - row), end = std::min(n, column + tiles.tall);
    for (Index r = 0; r < rows; ++r) {
      const Index i = row + r, first = std::max(column, i + 1);
      if (first >= end) continue;
      const Index before = i * n - i * (i + 1) / 2 - i - 1;  // pairs of the rows before, and of i
      std::copy_n(tile + r * tiles.tall + first - column, end - first, distances + before + first);
    }
  });
}

namespace {

// Sums in whole numbers of a power of two, so that they are the same in any order of adding up.
class WholeSums {
 public:
  // `largest` is no less than any sum.
  WholeSums(Index groups, Index rows, double largest)
      : rows_(rows),
        scale_(largest > 0 ? std::ldexp(1.0, 61 - std::ilogb(largest)) : 1),
        cells_(groups * rows) {}

  void add(Index group, Index row, double sum) {
    cells_[group * rows_ + row] += static_cast<std::int64_t>(sum * scale_);
  }
  void add(const WholeSums& other) {
    for (std::size_t c = 0; c < cells_.size(); ++c) cells_[c] += other.cells_[c];
  }
  double sum(Index group, Index row) const {
    return static_cast<double>(cells_[group * rows_ + row]) / scale_;
  }

 private:
  Index rows_;
  double scale_;
  std::vector<std::int64_t> cells_;
};

// Takes the cells of pairs that are not i < j out of a tile.
template <class P>
void keep_pairs(P* tile, Index tall, Index rows, Index columns, Index row, Index column) {
  for (Index r = 0; r < rows; ++r)
    std::fill_n(tile + r * tall, std::clamp<Index>(row + r + 1 - column, 0, columns), P(0));
}

}  // namespace

template <class P>
void group_distance_sums(View<const double> x, const Groups& groups, const double* centre,
                         View<double> sums, const Team& team) {
  const Index n = x.rows;
  // Of each row, in the order of groups: its group, and where the next group begins.
  std::vector<Index> group(n), group_end(n);
  for (Index g = 0; g < groups.count(); ++g)
    for (Index v = groups.starts[g]; v < groups.starts[g + 1]; ++v)
      group[v] = g, group_end[v] = groups.starts[g + 1];
  double furthest = 0;
  for (Index i = 0; i < n; ++i) {
    double square = 0;
    for (Index k = 0; k < x.columns; ++k)
      square += (x.row(i)[k] - centre[k]) * (x.row(i)[k] - centre[k]);
    furthest = std::max(furthest, std::sqrt(square));
  }
  const auto value = [&](Index v, Index k) {
    return static_cast<P>(x.row(groups.order[v])[k] - centre[k]);
  };
  const DistanceTiles<P> tiles(n, n, x.columns, true, false, value, value, team);
  std::vector<WholeSums> of_worker(team.threads(),
                                   {groups.count(), n, 4 * furthest * static_cast<double>(n)});
  tiles.pass(team, [&](Index row, Index column, P* tile, int worker) {
    WholeSums& into = of_worker[worker];
    const Index rows = std::min(tiles.wide, n - row), columns = std::min(tiles.tall, n - column);
    if (column < row + rows) keep_pairs(tile, tiles.tall, rows, columns, row, column);
    for (Index r = 0; r < rows; ++r)
      for (Index c = 0; c < columns;) {
        const Index end = std::min(columns, group_end[column + c] - column);
        const Index of_group = group[column + c];
        P sum = 0;
        for (; c < end; ++c) sum += tile[r * tiles.tall + c];
        into.add(of_group, row + r, sum);
      }
    for (Index r = 0; r < rows;) {
      const Index end = std::min(rows, group_end[row + r] - row), of_group = group[row + r];
      P total[max_tile] = {};
      for (; r < end; ++r)
        for (Index c = 0; c < columns; ++c) total[c] += tile[r * tiles.tall + c];
      for (Index c = 0; c < columns; ++c) into.add(of_group, column + c, total[c]);
    }
  });
  for (std::size_t w = 1; w < of_worker.size(); ++w) of_worker[0].add(of_worker[w]);
  for (Index g = 0; g < groups.count(); ++g)
    for (Index v = 0; v < n; ++v) sums.row(g)[groups.order[v]] = of_worker[0].sum(g, v);
}

template void group_distance_sums<float>(View<const double>, const Groups&, const double*,
                                         View<double>, const Team&);
template void group_distance_sums<double>(View<const double>, const Groups&, const double*,
                                          View<double>, const Team&);

}  // namespace wellgram
