// scan_pairs: every tile of the Gram matrix once, handed to the consumers and forgotten.
//
// Cost: n (n - 1) d flops for x against itself (the upper triangle), 2 n m d for x against y, plus
// two packed copies of the rows. A chunk is as many left panels as stay in the second-level cache,
// while about 2,048 columns of right panels stream past.
#include "cpu/scan.hpp"

#include <algorithm>
#include <utility>

#include "cpu/consumers/bracket.hpp"
#include "cpu/consumers/counts.hpp"
#include "cpu/consumers/matrix.hpp"
#include "cpu/consumers/moments.hpp"
#include "cpu/consumers/nearest.hpp"
#include "cpu/consumers/ranks.hpp"
#include "cpu/panels.hpp"

namespace wellgram {

namespace {

template <class T>
std::unique_ptr<Consumer<T>> make_consumer(const CountBelow& recipe, const Extent&) {
  return std::make_unique<CountBelowConsumer<T>>(recipe);
}
template <class T>
std::unique_ptr<Consumer<T>> make_consumer(const Histogram& recipe, const Extent&) {
  return std::make_unique<HistogramConsumer<T>>(recipe);
}
template <class T>
std::unique_ptr<Consumer<T>> make_consumer(const Bracket& recipe, const Extent&) {
  return std::make_unique<BracketConsumer<T>>(recipe);
}
template <class T>
std::unique_ptr<Consumer<T>> make_consumer(const Ranks& recipe, const Extent&) {
  return std::make_unique<RanksConsumer<T>>(recipe);
}
template <class T>
std::unique_ptr<Consumer<T>> make_consumer(const Nearest& recipe, const Extent& extent) {
  return std::make_unique<NearestConsumer<T>>(recipe, extent);
}
template <class T>
std::unique_ptr<Consumer<T>> make_consumer(const RowMoments&, const Extent& extent) {
  return std::make_unique<RowMomentsConsumer<T>>(extent);
}
template <class T>
std::unique_ptr<Consumer<T>> make_consumer(const WithinGroups& recipe, const Extent&) {
  return std::make_unique<WithinGroupsConsumer<T>>(recipe);
}
template <class T>
std::unique_ptr<Consumer<T>> make_consumer(const Matrix& recipe, const Extent&) {
  return std::make_unique<MatrixConsumer<T>>(recipe);
}

// How panels read the rows of a matrix: P(row, step).
template <class P, class T>
auto reader(const View<const T>& x) {
  return [x](Index row, Index k) {
    const T* value = x.row(row) + k * features_per_step<P>;
    if constexpr (features_per_step<P> == 2)
      return P(value[0], 2 * k + 1 < x.columns ? value[1] : T(0));
    else
      return *value;
  };
}

// A block of panels, which each thread packs for itself when it comes to another.
template <class P>
struct LeftBlock {
  explicit LeftBlock(Index size) : panels(size) {}
  Buffer<P> panels;
  Index first = -1;
};

// Copies the cells of a tile that are pairs of the pass, side by side. Returns how many.
template <class T>
Index keep_pairs(const Tile<T>& tile, T* out) {
  Index kept = 0;
  for (Index j = 0; j < tile.columns; ++j)
    for (Index i = 0; i < tile.above(j); ++i) out[kept++] = tile.cells[j * tile.tall + i];
  return kept;
}

}  // namespace

template <class P>
struct PairScan<P>::Consumers : std::vector<std::unique_ptr<Consumer<T>>> {};

template <class P>
PairScan<P>::PairScan(const Extent& extent, const std::vector<Recipe>& recipes, int threads)
    : extent_(extent), consumers_(threads) {
  for (const auto& recipe : recipes)
    consumers_[0].push_back(
        std::visit([&](const auto& r) { return make_consumer<T>(r, extent); }, recipe));
  for (int worker = 1; worker < threads; ++worker)
    for (const auto& consumer : consumers_[0]) consumers_[worker].push_back(consumer->another());
}

template <class P>
PairScan<P>::~PairScan() = default;

template <class P>
void PairScan<P>::add(View<const T> x, View<const T> y, Index first_row, Index first_column,
                      const Team& team) {
  constexpr Index block_bytes = 1536 << 10, block_columns = 2048, panels_a_look = 16;
  const Index tall = kernels<T>().tile_rows, wide = kernels<T>().tile_columns;
  const Index depth = panel_count(x.columns, features_per_step<P>);
  const Panels<P> right(y.rows, wide, depth, reader<P>(y), team);
  const Index lefts = panel_count(x.rows, tall), step = panel_count(block_columns, wide);
  const Index panel_bytes = tall * std::max<Index>(depth, 1) * static_cast<Index>(sizeof(P));
  const Index block_panels = std::clamp<Index>(block_bytes / panel_bytes, 1, 64);
  std::vector<LeftBlock<P>> blocks;
  for (int worker = 0; worker < team.threads(); ++worker)
    blocks.emplace_back(std::min(block_panels, lefts) * tall * depth);
  const bool symmetric = extent_.symmetric;
  // Whether columns up to `column` of y, exclusive, reach above the diagonal from row `row` of x.
  const auto has_pairs = [&](Index row, Index column) {
    return !symmetric || first_column + column > first_row + row + 1;
  };

  struct Chunk {
    Index left, right;  // first panels
  };
  std::vector<Chunk> chunks;
  for (Index p = 0; p < lefts; p += block_panels)
    for (Index q = 0; q < right.count(); q += step)
      if (has_pairs(p * tall, std::min(y.rows, (q + step) * wide))) chunks.push_back({p, q});

  team.run_reported(static_cast<Index>(chunks.size()), [&](Index c, int worker) {
    alignas(64) T cells[max_tile], pairs[max_tile];
    auto& consumers = consumers_[worker];
    const auto [first_left, first_right] = chunks[c];
    const Index last_left = std::min(lefts, first_left + block_panels);
    const Index last_right = std::min(right.count(), first_right + step);
    const Block block{first_row + first_left * tall,
                      std::min(x.rows, last_left * tall) - first_left * tall,
                      first_column + first_right * wide,
                      std::min(y.rows, last_right * wide) - first_right * wide, symmetric};
    LeftBlock<P>& left = blocks[worker];
    const auto panel = [&](Index p) {
      return left.panels.data() + (p - first_left) * tall * depth;
    };
    if (std::exchange(left.first, first_left) != first_left)
      for (Index p = first_left; p < last_left; ++p)
        pack_panel(p * tall, x.rows, tall, depth, panel(p), reader<P>(x));
    for (auto& consumer : consumers) consumer->begin(block);
    for (Index q = first_right; q < last_right; ++q)
      for (Index p = first_left; p < last_left; ++p) {
        // A consumer that fills much memory for the first time makes a chunk take seconds.
        if ((p - first_left) % panels_a_look == 0) team.look(worker);
        const Index row = p * tall, column = q * wide;
        if (!has_pairs(row, column + wide)) continue;
        const Tally* beside = nullptr;
        for (auto& consumer : consumers)
          if (beside == nullptr) beside = consumer->beside();
        products<P>().gram_tile(panel(p), right[q], depth, cells, beside);
        Tile<T> tile{cells,
                     tall,
                     first_row + row,
                     first_column + column,
                     std::min(tall, x.rows - row),
                     std::min(wide, y.rows - column),
                     symmetric,
                     cells,
                     tall * wide};
        if (tile.rows < tall || tile.columns < wide || tile.above(0) < tall) {
          tile.pairs = pairs;
          tile.count = keep_pairs(tile, pairs);
        }
        for (auto& consumer : consumers) consumer->absorb(tile);
      }
  });
  team.run(static_cast<Index>(consumers_.size()), [&](Index worker, int) {
    for (auto& consumer : consumers_[worker]) consumer->settle();
  });
}

template <class P>
auto PairScan<P>::states(const Team& team) -> std::vector<State<T>> {
  std::vector<State<T>> states;
  for (std::size_t k = 0; k < consumers_[0].size(); ++k) {
    for (std::size_t worker = 1; worker < consumers_.size(); ++worker)
      consumers_[0][k]->merge(*consumers_[worker][k]);
    consumers_[0][k]->finish(team);
    states.push_back(consumers_[0][k]->state());
  }
  return states;
}

template class PairScan<float>;
template class PairScan<double>;
template class PairScan<Bfloat16Pair>;

}  // namespace wellgram
