// Nearest by a screen: every row's best and worst partners as far as the screen can tell, and the
// sieve of a thread that admits the cells of a tile to them.
#pragma once

#include <limits>
#include <vector>

#include "cpu/consumers/consumer.hpp"
#include "cpu/screens/ranking.hpp"

namespace wellgram {

// Cosines turned round rank the least similar partners.
struct ScreenedNearest {
  ScreenedRanking most, least;
};

class NearestSieve {
 public:
  void begin(const Block& block, const ScreenedNearest& screened) {
    block_ = block;
    load(row_most_, screened.most, true, 1, block.row, block.rows);
    load(row_least_, screened.least, true, -1, block.row, block.rows);
    load(column_most_, screened.most, block.symmetric, 1, block.column, block.columns);
    load(column_least_, screened.least, block.symmetric, -1, block.column, block.columns);
  }

  void sift(const ScreenedTile& tile, ScreenedNearest& screened) {
    // Rounded, which the bound has room for.
    const auto bound = static_cast<float>(tile.bound);
    float* row_most = &row_most_[tile.row - block_.row];
    float* row_least = &row_least_[tile.row - block_.row];
    float* column_most = &column_most_[tile.column - block_.column];
    float* column_least = &column_least_[tile.column - block_.column];
    float lowered[4][max_side];
    for (Index i = 0; i < tile.tall; ++i) {
      lowered[0][i] = row_most[i] - bound;
      lowered[1][i] = row_least[i] + bound;
    }
    for (Index j = 0; j < tile.wide; ++j) {
      lowered[2][j] = column_most[j] - bound;
      lowered[3][j] = column_least[j] + bound;
    }
    std::uint16_t found[max_tile];
    const Index count =
        kernels<float>().admit(tile.cells, lowered[0], lowered[2], lowered[1], lowered[3], found);
    for (Index f = 0; f < count; ++f) {
      const Index i = found[f] % tile.tall, j = found[f] / tile.tall;
      const float value = tile.cells[found[f]], up = value + bound, down = value - bound;
      const Index row = tile.row + i, column = tile.column + j;
      if (up >= row_most[i]) row_most[i] = screened.most.offer(row, down, up, column);
      if (down <= row_least[i]) row_least[i] = -screened.least.offer(row, -up, -down, column);
      if (!tile.symmetric) continue;
      if (up >= column_most[j]) column_most[j] = screened.most.offer(column, down, up, row);
      if (down <= column_least[j]) column_least[j] = -screened.least.offer(column, -up, -down, row);
    }
  }

 private:
  static constexpr Index max_side = 32;
  static constexpr float never = std::numeric_limits<float>::infinity();

  // Floors as they stand, in the sign of the cosines; those of no row admit nothing.
  static void load(std::vector<float>& out, const ScreenedRanking& ranking, bool admits, float sign,
                   Index first, Index count) {
    out.assign(count + max_tile, sign * never);
    for (Index k = 0; admits && ranking.any() && k < count; ++k)
      out[k] = sign * ranking.floor(first + k);
  }

  Block block_{};
  std::vector<float> row_most_, row_least_, column_most_, column_least_;
};

}  // namespace wellgram
