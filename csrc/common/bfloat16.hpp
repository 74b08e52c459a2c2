// bfloat16: the upper half of a float32, to the nearest, ties to even. Two make a pair, the step of
// the instructions that multiply them; NaN stays NaN.
#pragma once

#include <bit>
#include <cstdint>

namespace wellgram {

inline std::uint32_t bfloat16_bits(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (value != value) return (bits >> 16) | 0x40;
  return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
}

inline float as_bfloat16(float value) { return std::bit_cast<float>(bfloat16_bits(value) << 16); }

struct Bfloat16Pair {
  std::uint32_t bits;  // the first value in the lower half

  Bfloat16Pair() = default;
  explicit Bfloat16Pair(int zero) : bits(static_cast<std::uint32_t>(zero)) {}
  Bfloat16Pair(float first, float second)
      : bits(bfloat16_bits(first) | bfloat16_bits(second) << 16) {}
};

}  // namespace wellgram
