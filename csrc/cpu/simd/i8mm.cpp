// Products of parts by SMMLA of ARM, which multiplies two rows of eight bytes by two others.
//
// Four rows of the right against all eight of the left fill sixteen registers with sums; eight
// features take twelve loads and 24 products.
#include <arm_neon.h>
#include <sys/auxv.h>

#include "cpu/part_products.hpp"

namespace wellgram {

namespace {

constexpr Index left_vectors = 8, right_vectors = 12, group = 8, rows = 4;
constexpr Index sum_size = left_vectors * right_vectors;

bool usable() {
  constexpr unsigned long has_i8mm = 1ul << 13;
  return (getauxval(AT_HWCAP2) & has_i8mm) != 0;
}

// Writes the sums of two rows of the right and two of the left.
void store(int32x4_t sums, std::int32_t* out) {
  vst1_s32(out, vget_low_s32(sums));
  vst1_s32(out + left_vectors, vget_high_s32(sums));
}

void multiply_rows(const std::int8_t* left, const std::int8_t* right, Index steps,
                   std::int32_t* high, std::int32_t* middle) {
  constexpr Index left_part = left_vectors * part_features;
  constexpr Index right_part = right_vectors * part_features;
  int32x4_t highs[2][4] = {}, middles[2][4] = {};
  for (Index step = 0; step < steps; ++step, left += 2 * left_part, right += 2 * right_part)
    for (Index g = 0; g < part_features / group; ++g) {
      const std::int8_t* l = left + g * left_vectors * group;
      const std::int8_t* r = right + g * right_vectors * group;
#pragma GCC unroll 2
      for (int j = 0; j < 2; ++j) {
        const int8x16_t upper = vld1q_s8(r + 16 * j), lower = vld1q_s8(r + right_part + 16 * j);
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) {
          const int8x16_t left_upper = vld1q_s8(l + 16 * i);
          const int8x16_t left_lower = vld1q_s8(l + left_part + 16 * i);
          highs[j][i] = vmmlaq_s32(highs[j][i], upper, left_upper);
          middles[j][i] = vmmlaq_s32(middles[j][i], upper, left_lower);
          middles[j][i] = vmmlaq_s32(middles[j][i], lower, left_upper);
        }
      }
    }
  for (int j = 0; j < 2; ++j)
    for (int i = 0; i < 4; ++i) {
      store(highs[j][i], high + 2 * j * left_vectors + 2 * i);
      store(middles[j][i], middle + 2 * j * left_vectors + 2 * i);
    }
}

void multiply(const std::int8_t* left, const std::int8_t* right, Index units, Index steps,
              std::int32_t* sums) {
  constexpr Index right_step = 2 * right_vectors * part_features;
  for (Index u = 0; u < units; ++u, sums += 2 * sum_size)
    for (Index j = 0; j < right_vectors; j += rows)
      multiply_rows(left, right + u * steps * right_step + j * group, steps,
                    sums + j * left_vectors, sums + sum_size + j * left_vectors);
}

}  // namespace

extern const PartProducts WELLGRAM_PRODUCTS_TABLE;
const PartProducts WELLGRAM_PRODUCTS_TABLE = {
    "i8mm",
    usable,
    true,
    {left_vectors, left_vectors, group, part_features},
    {right_vectors, right_vectors, group, part_features},
    1,
    8,
    12,
    multiply,
};

}  // namespace wellgram
