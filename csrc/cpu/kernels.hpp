// The table of inner loops that each instruction set fills, and the choice among the sets.
//
// Only the loops that do the arithmetic live behind this table. What surrounds them (threads,
// buffers, packing) is compiled once, for the baseline: code compiled for a newer set must not
// bring in templates of the standard library, whose copies the linker is free to merge into code
// that an older processor runs.
#pragma once

#include <bit>
#include <limits>
#include <type_traits>

#include "common/bfloat16.hpp"
#include "common/view.hpp"

namespace wellgram {

// Room for the largest register tile of any set.
constexpr Index max_tile = 32 * 12;

struct Split {
  Index below, within;
};

// A float as an integer of the same order; 0.0 and -0.0 are one. Integers are compared where
// products leave the processor idle.
template <class T>
using Ordered = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
template <class T>
Ordered<T> ordered(T value) {
  const auto bits = std::bit_cast<Ordered<T>>(value + T(0));
  return bits < 0 ? bits ^ std::numeric_limits<Ordered<T>>::max() : bits;
}

// The bin of a value: a whole number that grows with it, evenly about the centre, ever less so far
// away. With z = (value - centre) * rate and s = sign(z) (1 - 1 / (1 + |z| + 2 z^2)^2), s in (-1,
// 1), it is that of (1 + s) * half; NaN goes to one more, the last.
template <class T>
struct RankGrid {
  T centre, rate, half;
  Index bins() const { return 2 * static_cast<Index>(half) + 2; }
};

// Values are counted by bin, but those of a bin that needs a closer look: one with a key, or one
// that is full, which the closer look empties.
constexpr std::uint8_t full_bin = 0x80, keyed_bin = 0xff;

// Counts up the bins of as many values as a tile has cells, full ones excepted, and notes what each
// has come to.
struct Tally {
  std::uint8_t* bins;
  const std::int32_t* places;
  std::uint8_t* notes;
};

// The keys of 32 bins in ascending order: up to 7 of them, the rest the largest integer; how many
// values were met above the key before, up to this one (the last: above all of them), and how many
// equal to it. A line that would need more holds 8 times the smallest integer instead.
constexpr int line_keys = 8, line_bins_log2 = 5;
template <class T>
struct alignas(64) RankLine {
  Ordered<T> keys[line_keys];
  std::uint16_t counts[line_keys], equal[line_keys];
};

// A counter of a line whose upper bit turns is full, and its count goes to that of the key.
// Counters of values that are to be kept themselves begin at the second.
constexpr std::uint16_t full_count = 0x8000, kept_count = 0xc000;

// Values that are kept, if there are to be more; there is room for those of a tile, and one.
template <class T>
struct Kept {
  T* values;
  Index count, more;  // more: 0 or 1
};

// Values that need a closer look, and their bins.
template <class T>
struct Picked {
  T* values;
  std::int32_t* places;
  Index count;
};

// Values near a key, to be counted at the first key that is not less and, if equal to it, once more
// in `equal`; and values of full bins.
template <class T>
struct KeyWork {
  Picked<T> near, full;
  std::uint8_t* bins;
  RankLine<T>* lines;
  const std::uint32_t* first_key;  // of each line
  const Ordered<T>* keys;
  const std::uint8_t* keeps;  // of each key, whether what is counted there is kept
  Index *counts, *equal;      // of each key, what lines cannot hold
  Kept<T>* kept;
};

// Sums of cosines as integers of this resolution: equal for any order of adding up.
constexpr double fixed_point = 1099511627776.0;  // 2^40

// Sums and sums of squares, in fixed point.
struct Moments {
  std::int64_t sum, squares;
};

// Loops over values of type T: a tile of tile_rows x tile_columns cells, tile[j * tile_rows + i],
// or its cells side by side. `v` of `count` values may be read up to the next multiple of 16.
template <class T>
struct Kernels {
  Index tile_rows, tile_columns;

  // sums += row
  void (*add_row)(const T* row, Index columns, double* sums);

  // sums += the rows x + rows[i] * stride, one after another.
  void (*add_rows)(const T* x, Index stride, const Index* rows, Index count, Index columns,
                   double* sums);

  // sums += (row - mean)^2
  void (*add_squares)(const T* row, const double* mean, Index columns, double* sums);

  // Sum of the squares of row, in float64.
  double (*sum_of_squares)(const T* row, Index columns);

  // out = row * factor, multiplied in float64.
  void (*scale_row)(const T* row, double factor, Index columns, T* out);

  // How many of v lie below t.
  Index (*count_below)(const T* v, Index count, T t);

  // How many of v lie below low, and how many in [low, high].
  Split (*split)(const T* v, Index count, T low, T high);

  // The same; copies those within to `kept`, in order. There is room for 16 more.
  Split (*collect)(const T* v, Index count, T low, T high, T* kept);

  // ++counts[bin of v], bins counted from low; what lies outside into the first and last bin.
  void (*count_bins)(const T* v, Index count, double low, double bins_per_unit, Index bins,
                     Index* counts);

  void (*find_bins)(const T* v, Index count, const RankGrid<T>& grid, std::int32_t* bins);

  void (*tally)(const Tally& tally);

  // Makes those of a tile whose note is a full bin's the values of `work`, and sends for their
  // lines.
  void (*pick)(const T* v, Index count, const Tally& tally, KeyWork<T>& work);

  void (*count_by_key)(const KeyWork<T>& work);

  // The cells of a tile that are not below the lesser of their row's and column's `most`, or not
  // above the greater of their `least`. Returns how many; their places go to `found`.
  Index (*admit)(const T* tile, const T* row_most, const T* column_most, const T* row_least,
                 const T* column_least, std::uint16_t* found);

  // Adds every cell of a tile to its row's moments and, unless null, to its column's.
  void (*add_moments)(const T* tile, Moments* rows, Moments* columns);

  // Makes the cells of a tile their absolute values, if asked, and those whose row and column have
  // a label of some kind in common the least of all: own[kind * tile_rows + i],
  // other[kind * tile_columns + j].
  void (*leave_out)(T* tile, const Ordered<T>* own, const Ordered<T>* other, Index kinds,
                    bool absolute);

  // counts[k * tile_rows + i] += how many of the first `columns` cells of row i are above
  // values[k * tile_rows + i].
  void (*count_above)(const T* tile, Index columns, const T* values, Index depth,
                      Ordered<T>* counts);

  // counts[k] += how many of the cells of one column of a tile are above values[k], k < depth.
  void (*count_column_above)(const T* column, const T* values, Index depth, std::uint32_t* counts);

  // ++counts[place * tile_rows + i] for each of the first `columns` cells of row i, which has
  // `place` of the row's ascending values, values[k * tile_rows + i], k < depth, below it.
  void (*count_places)(const T* tile, Index columns, const T* values, Index depth,
                       std::uint32_t* counts);

  // The same by a tree of so many levels for each row (cpu/value_trees.hpp), one after another; and
  // of the cells of one column by a single tree: ++counts[place]. Null where no instruction
  // permutes the values of two vectors.
  void (*count_in_trees)(const T* tile, Index columns, const T* trees, Index levels,
                         std::uint32_t* counts);
  void (*count_column_in_tree)(const T* column, const T* tree, Index levels, std::uint32_t* counts);

  // medians[c] = the median of values[r * tile_rows + c] over rows, tile_rows of them; NaN where
  // one is.
  void (*column_medians)(const T* values, Index rows, double* medians);

  // tile[j * tile_rows + i] = the Euclidean distance of vector i of a and vector j of b, packed as
  // for gram_tile; or half of its square, at most 2: 1 less the cosine of vectors of length 1.
  void (*distance_tile)(const T* a, const T* b, Index depth, bool half_squares, T* tile);

  // Makes the dot products of a tile the distances of its rows and columns, of which these are the
  // squared lengths. A distance is -1 where most digits of its square cancel, or squares are too
  // large or too small; returns whether none is.
  bool (*to_distances)(T* tile, const T* row_squares, const T* column_squares);

  // The sum of the cells of a tile in rows [row, last_row) and columns [column, last_column), in
  // float64.
  double (*sum_cells)(const T* tile, Index row, Index last_row, Index column, Index last_column);
};

// What two operands are packed as: float, double, or pairs of bfloat16, whose products are float.
template <class P>
using Product = std::conditional_t<std::is_same_v<P, Bfloat16Pair>, float, P>;
template <class P>
constexpr Index features_per_step = std::is_same_v<P, Bfloat16Pair> ? 2 : 1;

template <class P>
struct Products {
  // tile[j * tile_rows + i] = sum over k of a[k * tile_rows + i] * b[k * tile_columns + j],
  // each one chain of fused multiply-adds over k = 0, 1, ...: its bits depend on depth alone.
  // Beside it, a tally, unless null. Of bfloat16 null where no instruction multiplies it faster
  // than float32: rounded rows of float32 serve.
  void (*gram_tile)(const P* a, const P* b, Index depth, Product<P>* tile, const Tally* beside);

  // out[p] = dot of rows i[p] of x and j[p] of y, by the same chain as gram_tile.
  void (*pair_dots)(const Product<P>* x, Index x_stride, const Product<P>* y, Index y_stride,
                    Index features, const Index* i, const Index* j, Index pairs, Product<P>* out);
};

// Two whole numbers of 16 bits, the first in the lower half.
struct Int16Pair {
  std::uint32_t bits;
};

// Loops of a screen: products that are near those of Products<float>, with a proven bound of how
// far, and at a fraction of the cost. See cpu/screens/screen.hpp.
struct ScreenKernels {
  // Whether this set multiplies 16 bits faster than float32.
  bool pays;

  // The largest absolute value of a row.
  float (*largest_size)(const float* row, Index columns);

  // out = row * scale, rounded; returns the sum of the squares of what rounding took away.
  double (*quantise)(const float* row, Index columns, double scale, std::int16_t* out);

  // cells[j * tile_rows + i] = unit * the dot product of vector i of a and vector j of b, in whole
  // numbers of 32 bits that wrap.
  void (*int16_tile)(const Int16Pair* a, const Int16Pair* b, Index depth, float unit, float* cells);

  // cells[c] = unit * (256 * high[c] + middle[c]); count is a multiple of 16.
  void (*join_parts)(const std::int32_t* high, const std::int32_t* middle, Index count, float unit,
                     float* cells);

  // Finds the cells of a tile that lie in an interval [low, high], of several; below[t] += how many
  // of the others lie below that of t. Returns how many were found; their places go to `doubtful`.
  Index (*sift)(const float* cells, const float* low, const float* high, Index intervals,
                Index* below, std::uint16_t* doubtful);

  // Finds the cells of which values within `bound` fall into more than one bin, and counts the bins
  // of the others as Kernels::count_bins does.
  Index (*sift_bins)(const float* cells, double bound, double low, double bins_per_unit, Index bins,
                     Index* counts, std::uint16_t* doubtful);

  // Finds the cells of the first columns that lie within `bound` of one of their row's values,
  // values[k * tile_rows + i], k < depth. Returns how many; their places go to `doubtful`.
  Index (*near_values)(const float* cells, Index columns, const float* values, Index depth,
                       float bound, std::uint16_t* doubtful);

  // As near_values, of one column, whose values are values[k]; `first` is the place of its first
  // cell.
  Index (*near_column_values)(const float* column, Index first, const float* values, Index depth,
                              float bound, std::uint16_t* doubtful);

  // The dot product of two rows, as they are or rounded to bfloat16, in an order of its own; and
  // through how many additions a product passes there at the most.
  float (*dot)(const float* a, const float* b, Index features);
  float (*bfloat16_dot)(const float* a, const float* b, Index features);
  Index (*dot_additions)(Index features);
};

// How rows are compared, to the bits of NumPy: the sum of the products of two rows; the same over
// the root of the product of their squares; or 1 / (1 + distance).
enum class RowSimilarity : std::uint8_t { product, correlation, euclidean, manhattan, chebyshev };

// tile[j * tile_rows + i] = the similarity of vector i of a and vector j of b, packed as for
// gram_tile. Squares, of the rows of a and of those of b, are read for correlations alone.
template <class T>
using NumpyTile = void (*)(RowSimilarity kind, const T* a, const T* b, Index depth,
                           const T* row_squares, const T* column_squares, T* tile);

struct InstructionSet {
  const char* name;
  bool (*supported)();
  Kernels<float> f32;
  Kernels<double> f64;
  Products<float> products_f32;
  Products<double> products_f64;
  Products<Bfloat16Pair> products_bf16;
  NumpyTile<float> numpy_f32;
  NumpyTile<double> numpy_f64;
  ScreenKernels screen;
};

// The sets this build has and this processor runs, best first, up to a null pointer.
const InstructionSet* const* usable_sets();

// The set in use: the best usable one until use_set is called.
const InstructionSet& current_set();

// Switches to a usable set by name; false where there is none of that name.
bool use_set(const char* name);

template <class T>
const Kernels<T>& kernels() {
  if constexpr (std::is_same_v<T, float>)
    return current_set().f32;
  else
    return current_set().f64;
}

template <class T>
NumpyTile<T> numpy_tile() {
  if constexpr (std::is_same_v<T, float>)
    return current_set().numpy_f32;
  else
    return current_set().numpy_f64;
}

template <class P>
const Products<P>& products() {
  if constexpr (std::is_same_v<P, float>)
    return current_set().products_f32;
  else if constexpr (std::is_same_v<P, double>)
    return current_set().products_f64;
  else
    return current_set().products_bf16;
}

}  // namespace wellgram
