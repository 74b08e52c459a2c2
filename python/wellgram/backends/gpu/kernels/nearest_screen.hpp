// The nearest partners by a screen. First a look at all tiles finds floors, which the cosines of
// the k best partners of a line surely reach; then the cells that may reach the floor of their row
// or column are listed, their cosines made, and offered.
#pragma once

#include "screens.hpp"

namespace wellgram::gpu {

constexpr i64 GROUPS = 128;           // of the partners of a line
#define NOTHING as_float(0xff800000)  // less than all

// most (GROUPS, n): of the lines, which are rows of the tile or columns of it, the greatest in each
// group of partners that a cosine is at least; `least`: likewise of cosines turned round. What was
// there before is kept if it is greater.
KERNEL best_of_groups(SCREENED_TILE, i64 by_columns, i64 n, float* most, float* least) {
  const ScreenedTile tile THE_SCREENED_TILE;
  const i64 lines = by_columns ? columns : rows, partners = by_columns ? rows : columns;
  // Threads side by side read columns side by side.
  const i64 tall = by_columns ? LANES : ROWS, lanes = THREADS / tall;
  for (i64 first = block_index() * tall; first < lines; first += block_count() * tall)
    each([&](int t) {
      const i64 line = first + (by_columns ? t % LANES : t / LANES);
      if (line >= lines) return;
      for (i64 group = by_columns ? t / LANES : t % LANES; group < GROUPS; group += lanes) {
        float best = NOTHING, turned = NOTHING;
        for (i64 partner = group; partner < partners; partner += GROUPS) {
          const i64 i = by_columns ? partner : line, j = by_columns ? line : partner;
          if (!tile.place.is_pair(i, j)) continue;
          const Near near = tile.near(tile.left[i], i, j);
          const float up = near.value - near.bound, down = -near.value - near.bound;
          best = up > best ? up : best;
          turned = down > turned ? down : turned;
        }
        const i64 place = group * n + (by_columns ? column : row) + line;
        most[place] = best > most[place] ? best : most[place];
        least[place] = turned > least[place] ? turned : least[place];
      }
    });
}

// Every value of an array.
KERNEL fill(float* values, i64 count, double value) {
  items(count, [&](i64 place) { values[place] = static_cast<float>(value); });
}

// floors[line] = the k-th greatest of the line's groups: k partners at least have such a cosine.
KERNEL floors(const float* best, i64 n, i64 k, float* floors) {
  SHARED(float, held[ROWS][GROUPS]);
  for (i64 first = block_index() * ROWS; first < n; first += block_count() * ROWS) {
    each([&](int t) {
      for (i64 q = t; q < ROWS * GROUPS; q += THREADS) {
        const i64 line = first + q % ROWS;
        held[q % ROWS][q / ROWS] = line < n ? best[q / ROWS * n + line] : NOTHING;
      }
    });
    each([&](int t) {
      const i64 line = first + t / LANES;
      if (line >= n) return;
      const float* values = held[t / LANES];
      for (i64 g = t % LANES; g < GROUPS; g += LANES) {
        i64 before = 0;
        for (i64 other = 0; other < GROUPS; ++other)
          before += values[other] > values[g] || (values[other] == values[g] && other < g);
        if (before == k - 1) floors[line] = values[g];
      }
    });
  }
}

// Lists the cells that may reach a floor: of the most or the least similar partners, of their row
// or, in a pass of a map against itself, of their column. Floors are those of all lines.
KERNEL sift_nearest(SCREENED_TILE, const float* most, const float* least, u32* places,
                    u64* listed) {
  const ScreenedTile tile THE_SCREENED_TILE;
  const Doubts doubts{places, listed};
  near_pairs(tile, [&](i64 i, i64 j, const Near& near) {
    const float up = near.value + near.bound, down = near.bound - near.value;
    const bool by_row = up >= most[row + i] || down >= least[row + i];
    if (by_row || (symmetric && (up >= most[column + j] || down >= least[column + j])))
      doubts.list(i * columns + j);
  });
}

// Cosines (n) of the listed cells, each linked to the one before it in its row and in its column:
// heads (rows, then columns) have the number of the last, counted from 1, and `before` (2, n) those
// before; 0 is none.
KERNEL link_nearest(CHAINS, i64 rows, u32* heads, u32* before, i64 n, float* cosines) {
  chains(THE_CHAINS, [&](i64 cell, i64 i, i64 j, float cosine) {
    cosines[cell] = cosine;
    before[cell] = exchange(&heads[i], static_cast<u32>(cell + 1));
    before[n + cell] = exchange(&heads[rows + j], static_cast<u32>(cell + 1));
  });
}

// Offers what is linked to the lines of a tile, rows or columns, and unlinks it.
KERNEL offer_linked(const u32* places, i64 columns, const float* cosines, const u32* before,
                    u32* heads, i64 lines, i64 by_columns, i64 line_from, i64 partner_from, i64 k,
                    i64* most, double* most_cosines, i64 k_least, i64* least,
                    double* least_cosines) {
  items(lines, [&](i64 line) {
    const i64 at = line_from + line;
    for (u32 cell = heads[line]; cell != 0; cell = before[cell - 1]) {
      const i64 place = places[cell - 1];
      const i64 partner = partner_from + (by_columns ? place / columns : place % columns);
      const double value = static_cast<double>(cosines[cell - 1]);
      offer(1, k, most + at * k, most_cosines + at * k, partner, value);
      offer(-1, k_least, least + at * k_least, least_cosines + at * k_least, partner, value);
    }
    heads[line] = 0;
  });
}

}  // namespace wellgram::gpu
