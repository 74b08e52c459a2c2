// The table of inner loops that each instruction set fills, and the choice among the sets.
//
// Only the loops that do the arithmetic live behind this table. What surrounds them (threads,
// buffers, packing) is compiled once, for the baseline: code compiled for a newer set must not
// bring in templates of the standard library, whose copies the linker is free to merge into code
// that an older processor runs.
#pragma once

#include "common/view.hpp"

namespace wellgram {

// Room for the largest register tile of any set.
constexpr Index max_tile = 32 * 12;

struct Split {
  Index below, within;
};

template <class T>
struct Kernels {
  // A register tile is tile_rows x tile_columns dot products.
  Index tile_rows, tile_columns;

  // tile[j * tile_rows + i] = sum over k of a[k * tile_rows + i] * b[k * tile_columns + j],
  // each one chain of fused multiply-adds over k = 0, 1, ...: its bits depend on depth alone.
  void (*gram_tile)(const T* a, const T* b, Index depth, T* tile);

  // out[p] = dot of rows i[p] of x and j[p] of y, by the same chain as gram_tile.
  void (*pair_dots)(const T* x, Index x_stride, const T* y, Index y_stride, Index depth,
                    const Index* i, const Index* j, Index pairs, T* out);

  // sums += row
  void (*add_row)(const T* row, Index columns, double* sums);

  // Sum of the squares of row, in float64.
  double (*sum_of_squares)(const T* row, Index columns);

  // out = row * factor, multiplied in float64.
  void (*scale_row)(const T* row, double factor, Index columns, T* out);

  // How many of v lie below t.
  Index (*count_below)(const T* v, Index count, T t);

  // How many of v lie below low, and how many in [low, high].
  Split (*split)(const T* v, Index count, T low, T high);
};

struct InstructionSet {
  const char* name;
  bool (*supported)();
  Kernels<float> f32;
  Kernels<double> f64;

  template <class T>
  const Kernels<T>& kernels() const;
};

template <>
inline const Kernels<float>& InstructionSet::kernels<float>() const {
  return f32;
}
template <>
inline const Kernels<double>& InstructionSet::kernels<double>() const {
  return f64;
}

// The sets this build has and this processor runs, best first, up to a null pointer.
const InstructionSet* const* usable_sets();

// The set in use: the best usable one until use_set is called.
const InstructionSet& current_set();

// Switches to a usable set by name; false where there is none of that name.
bool use_set(const char* name);

template <class T>
const Kernels<T>& kernels() {
  return current_set().kernels<T>();
}

}  // namespace wellgram
