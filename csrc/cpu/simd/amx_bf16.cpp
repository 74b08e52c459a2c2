// Products of bfloat16 by tiles of AMX.
//
// Halves of 32 right rows are the first operand, halves of 32 left rows the second: four loads and
// four products a step of 32 features. Blocks of features as in amx.cpp.
#include "cpu/bfloat16_products.hpp"
#include "cpu/simd/amx_tiles.hpp"

namespace wellgram {

namespace {

constexpr Index vectors = 32, features = 32, half = 16;
constexpr Index cell_stride = vectors * static_cast<Index>(sizeof(float));
constexpr Index steps_of_a_block = 16;  // 32 KiB of a left panel

bool usable() {
  constexpr unsigned amx_bf16 = 1u << 22;
  return tiles_are_usable(amx_bf16);
}

void multiply(const std::uint16_t* left, const std::uint16_t* right, Index units, Index steps,
              float* cells) {
  constexpr Index step_size = vectors * features, tile_size = half * features;
  CONFIGURE();
  for (Index first = 0; first < steps; first += steps_of_a_block) {
    const Index last = steps < first + steps_of_a_block ? steps : first + steps_of_a_block;
    for (Index u = 0; u < units; ++u) {
      float* top = cells + u * vectors * vectors;
      float* bottom = top + half * vectors;
      if (first == 0) {
        ZERO(0);
        ZERO(1);
        ZERO(2);
        ZERO(3);
      } else {
        LOAD(0, top, cell_stride);
        LOAD(1, top + half, cell_stride);
        LOAD(2, bottom, cell_stride);
        LOAD(3, bottom + half, cell_stride);
      }
      const std::uint16_t* l = left + first * step_size;
      const std::uint16_t* r = right + (u * steps + first) * step_size;
      for (Index step = first; step < last; ++step, l += step_size, r += step_size) {
        LOAD_ONCE(4, r, row_bytes);
        LOAD(6, l, row_bytes);
        MULTIPLY_BFLOAT16(0, 4, 6);
        LOAD(7, l + tile_size, row_bytes);
        MULTIPLY_BFLOAT16(1, 4, 7);
        LOAD_ONCE(5, r + tile_size, row_bytes);
        MULTIPLY_BFLOAT16(2, 5, 6);
        MULTIPLY_BFLOAT16(3, 5, 7);
      }
      STORE(0, top, cell_stride);
      STORE(1, top + half, cell_stride);
      STORE(2, bottom, cell_stride);
      STORE(3, bottom + half, cell_stride);
    }
  }
  RELEASE();
}

}  // namespace

extern const Bfloat16Products WELLGRAM_PRODUCTS_TABLE;
const Bfloat16Products WELLGRAM_PRODUCTS_TABLE = {
#if defined(__AMX_TILE__)
    "amx-bf16",
#else
    "amx-bf16-emulated",
#endif
    usable,     {vectors, half, 2, features}, {vectors, half, features, features}, 3, 32, 12,
    multiply,
};

}  // namespace wellgram
