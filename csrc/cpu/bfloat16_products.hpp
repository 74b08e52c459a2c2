// Products of rows rounded to bfloat16 by the matrix units of a processor: one table per kind of
// unit. They are the inner loops of a screen: see cpu/screens/bfloat16_tiles.cpp.
#pragma once

#include "cpu/step_layout.hpp"

namespace wellgram {

struct Bfloat16Products {
  const char* name;  // of the screen
  // Whether this processor has the unit, and the system lets this process use it.
  bool (*usable)();
  // A unit of rows on either side; and how many on the right make a panel, so that the panel is as
  // wide as some tiles of the instruction set.
  StepLayout left, right;
  Index units_of_a_panel;
  // Rows and columns of a tile of the instruction sets that it goes with.
  Index tile_rows, tile_columns;
  // cells[u][j][i] = near the dot product of row i of the left unit and row j of right unit u.
  void (*multiply)(const std::uint16_t* left, const std::uint16_t* right, Index units, Index steps,
                   float* cells);
};

// The tables of this build, best first, up to a null pointer.
const Bfloat16Products* const* bfloat16_products();

}  // namespace wellgram
