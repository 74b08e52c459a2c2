// Products of whole numbers in two parts of 8 bits, by the matrix units of a processor: one table
// per kind of unit. They are the inner loops of a screen: see cpu/screens/part_tiles.cpp.
#pragma once

#include "cpu/step_layout.hpp"

namespace wellgram {

// Features of a step. Rows are filled up with zeros to a multiple of it.
constexpr Index part_features = 64;

// With more features a sum of products of 8 bits might leave 32 bits: 2 * 128 * 127 * 65,536 <
// 2^31.
constexpr Index most_part_features = 1 << 16;

// How the bytes of a step lie: those of the upper part of some vectors, then those of the lower,
// each as the layout says.
struct PartProducts {
  const char* name;  // of the screen
  // Whether this processor has the unit, and the system lets this process use it.
  bool (*usable)();
  // Whether it is there for speed, and not for tests.
  bool pays;
  // A unit of rows on either side; and how many on the right make a panel, so that the panel is as
  // wide as some tiles of the instruction set.
  StepLayout left, right;
  Index units_of_a_panel;
  // Rows and columns of a tile of the instruction sets that it goes with.
  Index tile_rows, tile_columns;
  // sums[u][0][j][i] = sum of h_i h'_j and sums[u][1][j][i] = sum of h_i l'_j + l_i h'_j, for row i
  // of the left unit and row j of right unit u.
  void (*multiply)(const std::int8_t* left, const std::int8_t* right, Index units, Index steps,
                   std::int32_t* sums);
};

// The tables of this build, best first, up to a null pointer.
const PartProducts* const* part_products();

}  // namespace wellgram
