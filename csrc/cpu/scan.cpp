// scan_pairs: every tile of the Gram matrix once, handed to the consumers and forgotten.
//
// Cost: n (n - 1) d flops for x against itself (the upper triangle), 2 n m d for x against y, plus
// two packed copies of the rows. A screen takes the chunks first, where it can: see screens/.
#include "cpu/scan.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "cpu/chunks.hpp"
#include "cpu/consumers/bracket.hpp"
#include "cpu/consumers/counts.hpp"
#include "cpu/consumers/matrix.hpp"
#include "cpu/consumers/moments.hpp"
#include "cpu/consumers/nearest.hpp"
#include "cpu/consumers/ranks.hpp"
#include "cpu/panels.hpp"
#include "cpu/screens/screen.hpp"

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

// How panels read the rows of a matrix: Packed(row, step). Of a pass of bfloat16 (P) they are
// rounded.
template <class P, class Packed, class T>
auto reader(const View<const T>& x) {
  return [x](Index row, Index k) {
    const T* value = x.row(row) + k * features_per_step<Packed>;
    if constexpr (features_per_step<Packed> == 2)
      return Packed(value[0], 2 * k + 1 < x.columns ? value[1] : T(0));
    else if constexpr (features_per_step<P> == 2)
      return as_bfloat16(*value);
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
  const BlockPlan plan{first_row,
                       x.rows,
                       first_column,
                       y.rows,
                       kernels<T>().tile_rows,
                       kernels<T>().tile_columns,
                       extent_.symmetric};
  const bool pairs = std::is_same_v<P, Bfloat16Pair> && products<P>().gram_tile != nullptr;
  const Index value_bytes = pairs ? sizeof(Bfloat16Pair) / 2 : sizeof(T);
  std::vector<Chunk> chunks = plan.chunks(plan.tall * x.columns * value_bytes);
  if constexpr (std::is_same_v<T, float>) {
    constexpr bool bfloat16 = std::is_same_v<P, Bfloat16Pair>;
    for (const auto& maker : screens_of_block(plan, x.columns, bfloat16, consumers_[0]))
      if (!chunks.empty())
        chunks =
            screen_chunks(*maker, plan, chunks, {x, bfloat16}, {y, bfloat16}, consumers_, team);
  }
  if (chunks.empty()) return;
  if (pairs || !std::is_same_v<P, Bfloat16Pair>)
    make_chunks<P>(plan, chunks, x, y, team);
  else
    make_chunks<T>(plan, chunks, x, y, team);
}

template <class P>
template <class Packed>
void PairScan<P>::make_chunks(const BlockPlan& plan, const std::vector<Chunk>& chunks,
                              View<const T> x, View<const T> y, const Team& team) {
  const Index tall = plan.tall, wide = plan.wide;
  const Index depth = panel_count(x.columns, features_per_step<Packed>);
  const Panels<Packed> right(y.rows, wide, depth, reader<P, Packed>(y), team);
  Index block_panels = 0;
  for (const Chunk& chunk : chunks)
    block_panels = std::max(block_panels, chunk.last_left - chunk.left);
  std::vector<LeftBlock<Packed>> blocks;
  for (int worker = 0; worker < team.threads(); ++worker)
    blocks.emplace_back(block_panels * tall * depth);

  team.run_reported(std::ssize(chunks), [&](Index c, int worker) {
    alignas(64) T cells[max_tile], pairs[max_tile];
    auto& consumers = consumers_[worker];
    const Chunk& chunk = chunks[c];
    LeftBlock<Packed>& left = blocks[worker];
    const auto panel = [&](Index p) {
      return left.panels.data() + (p - chunk.left) * tall * depth;
    };
    if (std::exchange(left.first, chunk.left) != chunk.left)
      for (Index p = chunk.left; p < chunk.last_left; ++p)
        pack_panel(p * tall, x.rows, tall, depth, panel(p), reader<P, Packed>(x));
    const Block block = plan.block(chunk);
    for (auto& consumer : consumers) consumer->begin(block);
    plan.over_tiles(
        chunk,
        [&](Index p, Index q) {
          const Index row = p * tall, column = q * wide;
          const Tally* beside = nullptr;
          for (auto& consumer : consumers)
            if (beside == nullptr) beside = consumer->beside();
          products<Packed>().gram_tile(panel(p), right[q], depth, cells, beside);
          Tile<T> tile{cells,
                       tall,
                       plan.row + row,
                       plan.column + column,
                       std::min(tall, x.rows - row),
                       std::min(wide, y.rows - column),
                       plan.symmetric,
                       cells,
                       tall * wide};
          if (tile.rows < tall || tile.columns < wide || tile.above(0) < tall) {
            tile.pairs = pairs;
            tile.count = keep_pairs(tile, pairs);
          }
          for (auto& consumer : consumers) consumer->absorb(tile);
        },
        [&] { team.look(worker); });
  });
  team.run(std::ssize(consumers_), [&](Index worker, int) {
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
