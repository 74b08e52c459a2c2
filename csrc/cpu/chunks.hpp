// How a block of a pass is cut into chunks: as many left panels as stay in the second-level cache,
// while about 2,000 columns of right panels stream past.
#pragma once

#include <algorithm>
#include <vector>

#include "cpu/consumers/consumer.hpp"
#include "cpu/panels.hpp"

namespace wellgram {

// Panels of the left from `left` up to `last_left`, and of the right likewise.
struct Chunk {
  Index left, last_left, right, last_right;
};

// Some rows of the map against others, in tiles of tall x wide cells.
struct BlockPlan {
  Index row, rows, column, columns;  // the first of the map, and how many
  Index tall, wide;
  bool symmetric;

  Index lefts() const { return panel_count(rows, tall); }
  Index rights() const { return panel_count(columns, wide); }

  // Whether the first `end` columns reach above the diagonal from row `begin` of the block.
  bool has_pairs(Index begin, Index end) const {
    return !symmetric || column + end > row + begin + 1;
  }

  static Index panels_at_once(Index panel_bytes) {
    constexpr Index block_bytes = 1536 << 10;
    return std::clamp<Index>(block_bytes / std::max<Index>(panel_bytes, 1), 1, 64);
  }

  // The chunks that hold pairs, where a left panel has so many bytes.
  std::vector<Chunk> chunks(Index panel_bytes) const {
    constexpr Index chunk_columns = 43 * 48;  // whole panels of every screen
    const Index across = panels_at_once(panel_bytes), along = panel_count(chunk_columns, wide);
    std::vector<Chunk> chunks;
    for (Index p = 0; p < lefts(); p += across)
      for (Index q = 0; q < rights(); q += along) {
        const Chunk chunk{p, std::min(lefts(), p + across), q, std::min(rights(), q + along)};
        if (has_pairs(p * tall, std::min(columns, chunk.last_right * wide)))
          chunks.push_back(chunk);
      }
    return chunks;
  }

  // The rows and columns of the map that a chunk is of.
  Block block(const Chunk& chunk) const {
    const Index top = chunk.left * tall, left = chunk.right * wide;
    return {row + top, std::min(rows, chunk.last_left * tall) - top, column + left,
            std::min(columns, chunk.last_right * wide) - left, symmetric};
  }

  // Calls each(left panel, right panel) for the tiles of a chunk that hold pairs, and look() now
  // and then.
  template <class Each, class Look>
  void over_tiles(const Chunk& chunk, const Each& each, const Look& look) const {
    constexpr Index panels_a_look = 16;
    for (Index q = chunk.right; q < chunk.last_right; ++q)
      for (Index p = chunk.left; p < chunk.last_left; ++p) {
        // A consumer that fills much memory for the first time makes a chunk take seconds.
        if ((p - chunk.left) % panels_a_look == 0) look();
        if (has_pairs(p * tall, q * wide + wide)) each(p, q);
      }
  }
};

}  // namespace wellgram
