// rank_counts: for values of a row, how many of the others are more similar to it.
//
// 2 n m d flops on register tiles, and a comparison per value and pair. A chunk is a block of left
// panels, rows with as many values side by side; the right ones, packed once, stream past. Of rows
// with more than a few values the places of cells among them are searched (cpu/value_counts.hpp).
#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>
#include <type_traits>

#include "cpu/kernels.hpp"
#include "cpu/panels.hpp"
#include "cpu/primitives.hpp"
#include "cpu/rounding.hpp"
#include "cpu/screens/rank_screen.hpp"
#include "cpu/value_counts.hpp"

namespace wellgram {

namespace {

// The labels of the rows of a panel, kind after kind, as wide as its values.
template <class T>
void lay_labels(View<const std::int32_t> labels, const Index* rows, Index first, Index count,
                Index width, Ordered<T>* out) {
  for (Index k = 0; k < labels.rows; ++k)
    for (Index i = 0; i < width; ++i)
      out[k * width + i] = i < count ? labels.row(k)[rows[first + i]] : -1;
}

// Whether all rows are compared with each other by one rule, so that a tile serves its columns too.
template <class T>
bool mirrored(View<const T> x, View<const T> y, const Rankings<T>& rankings, const Labels& labels) {
  if (x.data != y.data || x.rows != y.rows || x.stride != y.stride) return false;
  for (Index k = 0; k < labels.own.rows; ++k)
    if (!std::equal(labels.own.row(k), labels.own.row(k) + x.rows, labels.other.row(k)))
      return false;
  // With more values to a row, a tile is made anew for its columns sooner than compared with them,
  // or searched for them in memory.
  constexpr Index most_compared = 64;
  const Index most = kernels<T>().count_in_trees == nullptr ? most_compared : most_tree_values;
  for (Index i = 0; i < x.rows; ++i)
    if (rankings.size(i) > most) return false;
  return true;
}

// Takes the cells out of a tile whose column, counted from `first_column` on, stands before its
// row; or also those of one and the same, and those of rows that are not there.
template <class T>
void take_out(T* cells, Index tall, Index first_row, Index present, Index first_column,
              Index columns, bool also_same) {
  for (Index j = 0; j < columns; ++j)
    for (Index i = 0; i < tall; ++i) {
      const Index row = first_row + i, column = first_column + j;
      if (column < row || (also_same && (column == row || i >= present)))
        cells[j * tall + i] = -std::numeric_limits<T>::infinity();
    }
}

// How many of the first panels a screen serves: rows come in ascending order of their values, and
// where those are many, most cells are near one. Where tiles serve both ways, all or none are.
template <class DepthOf>
Index screened_panels(Index panels, bool both, const DepthOf& depth_of) {
  constexpr Index most_values = 48, most_if_chosen = 256;
  const Index most = screen_is_chosen() ? most_if_chosen : most_values;
  Index screened = 0;
  while (screened < panels && depth_of(screened) <= most) ++screened;
  return both && screened < panels ? 0 : screened;
}

// Where chunks of left panels begin, and the end of the last. A chunk has at most `most` panels,
// and no more than stay in the second-level cache with their values, and are soon done.
template <class ValueBytes>
std::vector<Index> panel_chunks(Index panels, Index panel_bytes, double panel_flops, Index most,
                                const ValueBytes& value_bytes) {
  constexpr Index chunk_bytes = 256 << 10;
  constexpr double chunk_flops = 1e10;  // few enough to be interrupted between two
  std::vector<Index> begins{0};
  Index bytes = 0;
  for (Index p = 0; p < panels; ++p) {
    const Index count = p - begins.back(), more = panel_bytes + value_bytes(p);
    if (count > 0 && (count >= most || bytes + more > chunk_bytes ||
                      static_cast<double>(count + 1) * panel_flops > chunk_flops)) {
      begins.push_back(p);
      bytes = 0;
    }
    bytes += more;
  }
  if (panels > 0) begins.push_back(panels);
  return begins;
}

// `make_tile(rows, present, left, others, columns, right, cells)` fills a tile: of so many rows of
// x that are packed in a left panel, and so many of y in a right one.
// With a screen, where one serves, the tiles of rows with few values are made by it.
template <class T, class MakeTile>
void count_tiles(View<const T> x, View<const T> y, const Rankings<T>& rankings,
                 const Labels& labels, bool absolute, Index* counts, const Team& team,
                 const MakeTile& make_tile, std::unique_ptr<TileMaker> maker) {
  const Index tall = kernels<T>().tile_rows, wide = kernels<T>().tile_columns;
  const Index d = x.columns, kinds = labels.own.rows;
  std::vector<Index> order(x.rows);
  std::iota(order.begin(), order.end(), Index{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](Index a, Index b) { return rankings.size(a) < rankings.size(b); });
  const Index* rows = order.data();
  const Index* end = rows + order.size();
  while (rows < end && rankings.size(*rows) == 0) ++rows;
  const Index count = end - rows, lefts = panel_count(count, tall), unranked = rows - order.data();

  // Where tiles serve both ways, columns have the order of rows, so that half of them will do.
  const bool both = mirrored(x, y, rankings, labels);
  std::vector<Index> others(y.rows);
  std::iota(others.begin(), others.end(), Index{0});
  if (both) others = order;
  const RowTrees<T> trees(rankings, both ? x.rows : 0);
  std::vector<std::optional<ColumnCounts<T>>> of_columns(team.threads());

  const auto depth_of = [&](Index p) {
    return rankings.size(rows[std::min(count, (p + 1) * tall) - 1]);
  };
  Index screened = maker != nullptr ? screened_panels(lefts, both, depth_of) : 0;
  std::optional<RankScreen> screen;
  if constexpr (std::is_same_v<T, float>) {
    if (screened > 0 && std::max(longest_row(x, team), longest_row(y, team)) > most_length)
      screened = 0;
    if (screened > 0)
      screen.emplace(
          std::move(maker), x, std::min(count, screened * tall), [&](Index r) { return rows[r]; },
          y, [&](Index r) { return others[r]; }, team);
  }
  const Index rights = panel_count(y.rows, wide);
  const Panels<T> right(
      screened == lefts ? 0 : y.rows, wide, d,
      [&](Index j, Index k) { return y.row(others[j])[k]; }, team);
  std::vector<Ordered<T>> other(rights * kinds * wide);
  for (Index q = 0; q < rights; ++q)
    lay_labels<T>(labels.other, others.data(), q * wide, std::min(wide, y.rows - q * wide), wide,
                  other.data() + q * kinds * wide);

  const auto value_size = static_cast<Index>(sizeof(T));
  const auto chunks =
      panel_chunks(lefts, tall * d * value_size,
                   2.0 * static_cast<double>(tall * d) * static_cast<double>(y.rows),
                   lefts / (4 * team.threads()),
                   [&](Index p) { return PanelCounts<T>::bytes(depth_of(p), tall); });
  team.run_reported(std::ssize(chunks) - 1, [&](Index chunk, int worker) {
    const Index first = chunks[chunk], panels = chunks[chunk + 1] - first;
    const auto present = [&](Index p) { return std::min(tall, count - (first + p) * tall); };
    Buffer<T> packed(panels * tall * d);
    std::vector<Ordered<T>> own(panels * kinds * tall);
    std::vector<PanelCounts<T>> found(panels);
    for (Index p = 0; p < panels; ++p) {
      const Index* here = rows + (first + p) * tall;
      if (first + p >= screened)
        pack_panel(0, present(p), tall, d, packed.data() + p * tall * d,
                   [&](Index i, Index k) { return x.row(here[i])[k]; });
      lay_labels<T>(labels.own, here, 0, present(p), tall, own.data() + p * kinds * tall);
      found[p].take(rankings, here, present(p), tall);
    }
    if (both && !of_columns[worker]) of_columns[worker].emplace(rankings, trees, x.rows);
    const Index at_once = screen ? screen->at_once() : 1;
    Buffer<T> tiles(screen ? screen->cells() : max_tile);
    Buffer<std::byte> scratch(screen ? screen->scratch_bytes() : 0);
    OpenCells open;
    const auto count_open = [&] {
      if constexpr (std::is_same_v<T, float>)
        open.settle(x, y, absolute, [&](const OpenCell& cell, float cosine) {
          found[cell.place / tall].absorb_cell(cell.place % tall, cosine);
          if (cell.both) of_columns[worker]->absorb_cell(cell.column, cosine);
        });
    };
    const auto columns_of = [&](Index q) { return std::min(wide, y.rows - q * wide); };
    // Whether the mirror image of a tile is counted instead.
    const auto mirrored_tile = [&](Index p, Index q) {
      const Index column = q * wide;
      return both && column >= unranked && column + columns_of(q) <= unranked + (first + p) * tall;
    };
    const auto count_tile = [&](Index p, Index q, T* cells) {
      const Index columns = columns_of(q);
      const Index row = unranked + (first + p) * tall, column = q * wide;
      const bool by_screen = first + p < screened;
      [[maybe_unused]] const float bound =
          by_screen ? not_below<float>(screen->bound(first + p, q)) : 0;
      if (!by_screen)
        make_tile(rows + (first + p) * tall, present(p), packed.data() + p * tall * d,
                  others.data() + column, columns, right[q], cells);
      kernels<T>().leave_out(cells, own.data() + p * kinds * tall, other.data() + q * kinds * wide,
                             kinds, absolute);
      const Index known = std::clamp<Index>(unranked - column, 0, columns);
      // Takes out the cells that are too near a value to be counted by the screen.
      [[maybe_unused]] const auto take_near = [&] {
        std::uint16_t near[max_tile];
        const auto take = [&](Index cell_count, bool of_column) {
          for (Index f = 0; f < cell_count; ++f) {
            const Index i = near[f] % tall, j = near[f] / tall;
            const bool same = both && row + i == column + j;
            if (i >= present(p) || (of_column && same)) continue;
            open.add({rows[(first + p) * tall + i], others[column + j], p * tall + i,
                      both && j >= known && !same});
            cells[near[f]] = -std::numeric_limits<T>::infinity();
          }
        };
        const auto& kernel = current_set().screen;
        if constexpr (std::is_same_v<T, float>) {
          take(kernel.near_values(cells, columns, found[p].values(), found[p].depth(), bound, near),
               false);
          for (Index j = known; both && j < columns; ++j)
            take(kernel.near_column_values(cells + j * tall, j * tall,
                                           rankings.values(others[column + j]),
                                           rankings.size(others[column + j]), bound, near),
                 true);
        }
        if (open.many()) count_open();
      };
      if (!both) {
        if (by_screen) take_near();
        found[p].absorb(cells, columns);
        return;
      }
      const bool apart = column >= row + tall && present(p) == tall;
      T* ranked = cells + known * tall;
      if (!apart) take_out(ranked, tall, row, tall, column + known, columns - known, false);
      if (by_screen) take_near();
      found[p].absorb(cells, columns);
      if (!apart) take_out(ranked, tall, row, present(p), column + known, columns - known, true);
      for (Index j = known; j < columns; ++j)
        of_columns[worker]->absorb(others[column + j], cells + j * tall);
    };
    for (Index q = 0; q < rights; q += at_once)
      for (Index p = 0; p < panels; ++p) {
        const Index end = std::min(rights, q + at_once);
        if (mirrored_tile(p, end - 1)) continue;
        const bool by_screen = first + p < screened;
        if constexpr (std::is_same_v<T, float>)
          if (by_screen) screen->make(first + p, q, scratch.data(), tiles.data());
        for (Index r = q; r < end; ++r)
          if (!mirrored_tile(p, r))
            count_tile(p, r, tiles.data() + (by_screen ? (r - q) * tall * wide : 0));
      }
    count_open();
    for (const auto& panel : found) panel.write(counts);
  });
  for (const auto& columns : of_columns)
    if (columns) columns->add_to(counts);
}

}  // namespace

template <class T>
void rank_counts(View<const T> x, View<const T> y, const Rankings<T>& rankings,
                 const Labels& labels, bool absolute, Index* counts, const Team& team) {
  const auto make_tile = [&](const Index*, Index, const T* left, const Index*, Index,
                             const T* right, T* cells) {
    products<T>().gram_tile(left, right, x.columns, cells, nullptr);
  };
  auto makers = std::is_same_v<T, float> ? screens_for(x.rows, y.rows, x.columns, false)
                                         : std::vector<std::unique_ptr<TileMaker>>();
  count_tiles(x, y, rankings, labels, absolute, counts, team, make_tile,
              makers.empty() ? nullptr : std::move(makers.front()));
}

template <class T>
void numpy_rank_counts(const Similarity<T>& similarity, View<const T> x, View<const T> y,
                       const Rankings<T>& rankings, const Labels& labels, bool absolute,
                       Index* counts, const Team& team) {
  const Index tall = kernels<T>().tile_rows, wide = kernels<T>().tile_columns;
  count_tiles(
      x, y, rankings, labels, absolute, counts, team,
      [&](const Index* rows, Index present, const T* left, const Index* others, Index columns,
          const T* right, T* cells) {
        T of_rows[max_tile], of_columns[max_tile];
        if (similarity.kind == RowSimilarity::correlation) {
          for (Index i = 0; i < tall; ++i)
            of_rows[i] = i < present ? similarity.row_squares[rows[i]] : T(1);
          for (Index j = 0; j < wide; ++j)
            of_columns[j] = j < columns ? similarity.column_squares[others[j]] : T(1);
        }
        numpy_tile<T>()(similarity.kind, left, right, x.columns, of_rows, of_columns, cells);
      },
      nullptr);
}

#define INSTANTIATE(T)                                                                             \
  template void rank_counts(View<const T>, View<const T>, const Rankings<T>&, const Labels&, bool, \
                            Index*, const Team&);                                                  \
  template void numpy_rank_counts(const Similarity<T>&, View<const T>, View<const T>,              \
                                  const Rankings<T>&, const Labels&, bool, Index*, const Team&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace wellgram
