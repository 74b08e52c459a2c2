// A tile of products, as consumers meet it.
#pragma once

#include "grid.hpp"

namespace wellgram::gpu {

// Products of rows from `row` on with those from `column` on; in a pass of a map against itself
// only cells above the diagonal are pairs.
template <class T>
struct Tile {
  const T* cells;
  i64 rows, columns, stride, row, column, symmetric;

  DEVICE bool is_pair(i64 i, i64 j) const { return !symmetric || column + j > row + i; }
};

#define TILE(T) \
  const T *cells, i64 rows, i64 columns, i64 stride, i64 row, i64 column, i64 symmetric
#define THE_TILE {cells, rows, columns, stride, row, column, symmetric}

// work(t, i, j, value) for every pair of a tile: a block takes eight rows at a time.
template <class T, class F>
DEVICE void pairs(const Tile<T>& tile, F work) {
  each([&](int t) {
    for (i64 first = block_index() * ROWS; first < tile.rows; first += block_count() * ROWS) {
      const i64 i = first + t / LANES;
      if (i >= tile.rows) continue;
      for (i64 j = t % LANES; j < tile.columns; j += LANES)
        if (tile.is_pair(i, j)) work(t, i, j, tile.cells[i * tile.stride + j]);
    }
  });
}

}  // namespace wellgram::gpu
