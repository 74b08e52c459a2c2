// What a pass hands over, and what takes it: a consumer absorbs tiles of cosines while they are in
// cache. Each thread has its own, made by `another`; they merge at the end. The definitions, with
// formulas, are in backends/consumers/; the classes of this folder are their twins.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "cpu/kernels.hpp"
#include "cpu/rounding.hpp"
#include "cpu/scan.hpp"
#include "cpu/screens/exact_cells.hpp"

namespace wellgram {

// cells[j * tall + i] is the cosine of rows (row + i, column + j) of the map, if inside: i < rows,
// j < columns and, in a pass of a map against itself, above the diagonal.
template <class T>
struct Tile {
  const T* cells;
  Index tall, row, column, rows, columns;
  bool symmetric;
  const T* pairs;  // those inside, side by side: cells itself where that is all of them
  Index count;

  bool whole() const { return pairs == cells; }
  // The rows of column j that are inside: [0, above(j)).
  Index above(Index j) const {
    return symmetric ? std::clamp(column + j - row, Index(0), rows) : rows;
  }
};

// The rows and columns of the map that the next tiles lie in.
struct Block {
  Index row, rows, column, columns;
  bool symmetric;
};

// A tile of a screen. Every cell is within `bound` of the cosine that a tile has there; what is no
// pair of the pass is NaN.
struct ScreenedTile {
  const float* cells;  // cells[j * tall + i], as of a tile
  Index tall, wide, row, column;
  bool symmetric;
  double bound;
};

template <class T>
class Consumer {
 public:
  virtual ~Consumer() = default;
  virtual std::unique_ptr<Consumer> another() const = 0;
  virtual void begin(const Block&) {}
  virtual void absorb(const Tile<T>& tile) = 0;
  // What is left to do of the last tile, to be done beside the product of the next, or null.
  virtual const Tally* beside() { return nullptr; }
  // Finishes what has begun. Called when no more tiles come for now, by all threads at a time.
  virtual void settle() {}
  virtual void merge(Consumer& other) = 0;
  // Whether it only asks where cosines lie, so that a screen can serve it.
  virtual bool decides() const { return false; }
  // Before and after screened tiles of a block whose rows are at hand; for all threads at once.
  virtual void open_screen(const ExactCells&) {}
  virtual void close_screen(const Team&) {}
  // Takes in the cells of which it can tell what their cosines lead to, and leaves the others:
  // their places go to `doubtful`. Returns how many. Their cosines come by `decide`.
  virtual Index sift(const ScreenedTile&, std::uint16_t*) { return 0; }
  virtual void decide(T) {}
  // Whether a closer look at what is in doubt settles most of it, by decide_near: takes in a cell
  // whose cosine is within `bound` of this, if that tells enough.
  virtual bool looks_closer() const { return false; }
  virtual bool decide_near(float, double) { return false; }
  // Does what takes long before the state of the whole pass can be had.
  virtual void finish(const Team&) {}
  virtual State<T> state() = 0;
};

inline void add(std::vector<Index>& sums, const std::vector<Index>& more) {
  for (std::size_t k = 0; k < sums.size(); ++k) sums[k] += more[k];
}

}  // namespace wellgram
