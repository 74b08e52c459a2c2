// scan_pairs: every tile of the Gram matrix once, handed to the consumers and forgotten.
//
// Cost: n (n - 1) d flops for x against itself (the upper triangle), 2 n m d for x against y, plus
// two packed copies of the rows. A chunk is 6 left panels by about 2,048 columns: the left panels
// stay in the second-level cache while the right ones stream past.
#include <memory>
#include <optional>

#include "cpu/consumers.hpp"
#include "cpu/kernels.hpp"
#include "cpu/panels.hpp"
#include "cpu/primitives.hpp"

namespace wellgram {

namespace {

template <class T>
using Consumers = std::vector<std::unique_ptr<Consumer<T>>>;

// The rows of a matrix as panels.
template <class T>
Panels<T> pack(const View<const T>& x, Index width, const Team& team) {
  return Panels<T>(
      x.rows, width, x.columns, [&](Index row, Index k) { return x.row(row)[k]; }, team);
}

// Moves the cells of a tile that are pairs of the pass to its front: inside of the matrix and,
// where the pass is of x against itself, above the diagonal. Returns how many there are.
template <class T>
Index keep_pairs(T* tile, Index tall, Index wide, Index row, Index column, Index rows,
                 Index columns, bool symmetric) {
  Index kept = 0;
  for (Index j = 0; j < wide && column + j < columns; ++j) {
    const Index last = symmetric ? std::min(rows, column + j) : rows;
    for (Index i = 0; i < tall && row + i < last; ++i) tile[kept++] = tile[j * tall + i];
  }
  return kept;
}

}  // namespace

template <class T>
std::vector<State> scan_pairs(View<const T> x, const View<const T>* y,
                              const std::vector<Recipe>& recipes, const Team& team) {
  constexpr Index block_panels = 6, block_columns = 2048;
  const auto& kernel = kernels<T>();
  const Index tall = kernel.tile_rows, wide = kernel.tile_columns, depth = x.columns;
  const bool symmetric = y == nullptr;
  const View<const T>& other = symmetric ? x : *y;
  const auto left = pack(x, tall, team), right = pack(other, wide, team);

  std::vector<Consumers<T>> consumers(team.threads());
  for (auto& mine : consumers)
    for (const auto& recipe : recipes)
      mine.push_back(std::visit([](const auto& r) { return make_consumer<T>(r); }, recipe));

  struct Chunk {
    Index left, right;  // first panels
  };
  const Index right_step = panel_count(block_columns, wide);
  std::vector<Chunk> chunks;
  for (Index p = 0; p < left.count(); p += block_panels)
    for (Index q = 0; q < right.count(); q += right_step)
      if (!symmetric || (q + right_step) * wide > p * tall + 1) chunks.push_back({p, q});

  team.run_reported(static_cast<Index>(chunks.size()), [&](Index c, int worker) {
    alignas(64) T tile[max_tile];
    const Index last_left = std::min(left.count(), chunks[c].left + block_panels);
    const Index last_right = std::min(right.count(), chunks[c].right + right_step);
    for (Index q = chunks[c].right; q < last_right; ++q)
      for (Index p = chunks[c].left; p < last_left; ++p) {
        const Index row = p * tall, column = q * wide;
        if (symmetric && column + wide <= row + 1) continue;
        kernel.gram_tile(left[p], right[q], depth, tile);
        const bool whole = row + tall <= (symmetric ? std::min(x.rows, column) : x.rows) &&
                           column + wide <= other.rows;
        const Index count =
            whole ? tall * wide
                  : keep_pairs(tile, tall, wide, row, column, x.rows, other.rows, symmetric);
        for (auto& consumer : consumers[worker]) consumer->absorb(tile, count);
      }
  });

  std::vector<State> states;
  for (std::size_t k = 0; k < recipes.size(); ++k) {
    for (std::size_t worker = 1; worker < consumers.size(); ++worker)
      consumers[0][k]->merge(*consumers[worker][k]);
    states.push_back(consumers[0][k]->state());
  }
  return states;
}

#define INSTANTIATE(T)                                                        \
  template std::vector<State> scan_pairs(View<const T>, const View<const T>*, \
                                         const std::vector<Recipe>&, const Team&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace wellgram
