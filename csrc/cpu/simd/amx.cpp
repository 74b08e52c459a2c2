// Products of parts by tiles of AMX.
//
// A unit of 16 right rows is the first operand, half of 32 left rows the second. Both halves and
// both sums fill four tiles, and a step of 64 features takes six loads and six products. Features
// come in blocks, so that a block of the left panel stays in the first-level cache while the right
// units stream past it.
#include "cpu/part_products.hpp"
#include "cpu/simd/amx_tiles.hpp"

namespace wellgram {

namespace {

constexpr Index left_vectors = 32, right_vectors = 16;
constexpr Index sum_size = left_vectors * right_vectors;
constexpr Index sum_stride = left_vectors * static_cast<Index>(sizeof(std::int32_t));
constexpr Index steps_of_a_block = 8;  // 32 KiB of a left panel

bool usable() {
  constexpr unsigned amx_int8 = 1u << 25;
  return tiles_are_usable(amx_int8);
}

void multiply(const std::int8_t* left, const std::int8_t* right, Index units, Index steps,
              std::int32_t* sums) {
  constexpr Index left_step = 2 * left_vectors * part_features;
  constexpr Index right_step = 2 * right_vectors * part_features;
  CONFIGURE();
  for (Index first = 0; first < steps; first += steps_of_a_block) {
    const Index last = steps < first + steps_of_a_block ? steps : first + steps_of_a_block;
    for (Index u = 0; u < units; ++u) {
      std::int32_t* high = sums + 2 * u * sum_size;
      std::int32_t* middle = high + sum_size;
      if (first == 0) {
        ZERO(0);
        ZERO(1);
        ZERO(2);
        ZERO(3);
      } else {
        LOAD(0, high, sum_stride);
        LOAD(1, high + 16, sum_stride);
        LOAD(2, middle, sum_stride);
        LOAD(3, middle + 16, sum_stride);
      }
      const std::int8_t* l = left + first * left_step;
      const std::int8_t* r = right + (u * steps + first) * right_step;
      for (Index step = first; step < last; ++step, l += left_step, r += right_step) {
        LOAD_ONCE(4, r, row_bytes);
        LOAD(6, l, row_bytes);
        MULTIPLY_INT8(0, 4, 6);
        LOAD(7, l + tile_bytes, row_bytes);
        MULTIPLY_INT8(1, 4, 7);
        LOAD_ONCE(5, r + tile_bytes, row_bytes);
        MULTIPLY_INT8(2, 5, 6);
        MULTIPLY_INT8(3, 5, 7);
        LOAD(6, l + 2 * tile_bytes, row_bytes);
        MULTIPLY_INT8(2, 4, 6);
        LOAD(7, l + 3 * tile_bytes, row_bytes);
        MULTIPLY_INT8(3, 4, 7);
      }
      STORE(0, high, sum_stride);
      STORE(1, high + 16, sum_stride);
      STORE(2, middle, sum_stride);
      STORE(3, middle + 16, sum_stride);
    }
  }
  RELEASE();
}

}  // namespace

extern const PartProducts WELLGRAM_PRODUCTS_TABLE;
const PartProducts WELLGRAM_PRODUCTS_TABLE = {
#if defined(__AMX_TILE__)
    "amx",
    usable,
    true,
#else
    "amx-emulated",
    usable,
    false,
#endif
    {left_vectors, 16, 4, part_features},
    {right_vectors, 16, part_features, part_features},
    3,
    32,
    12,
    multiply,
};

}  // namespace wellgram
