// Tiles of AMX: 16 rows of 64 bytes, eight of them. CONFIGURE() makes them ready and RELEASE()
// gives them back. Each source is compiled twice: for the unit itself, and with tiles emulated in
// memory, for tests on any processor.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "common/view.hpp"

#if defined(__AMX_TILE__)
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace wellgram {
namespace {

constexpr Index tile_bytes = 1024, row_bytes = 64;

#if defined(__AMX_TILE__)

struct Configuration {
  std::uint8_t palette, start_row, reserved[14];
  std::uint16_t columns[16];
  std::uint8_t rows[16];
};
alignas(64) constexpr Configuration configuration = {
    1, 0, {}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};

#define CONFIGURE() _tile_loadconfig(&configuration)
#define RELEASE() _tile_release()
#define ZERO(tile) _tile_zero(tile)
#define LOAD(tile, from, stride) _tile_loadd(tile, from, stride)
// For what is read once from the second level: leaves the first to what is read again.
#define LOAD_ONCE(tile, from, stride) _tile_stream_loadd(tile, from, stride)
#define STORE(tile, to, stride) _tile_stored(tile, to, stride)
#define MULTIPLY_INT8(sums, a, b) _tile_dpbssd(sums, a, b)
#define MULTIPLY_BFLOAT16(sums, a, b) _tile_dpbf16ps(sums, a, b)

// Tiles are saved with a thread, so the system wants to be asked first. It says no where a signal
// stack is too small for them.
inline bool tiles_are_usable(unsigned feature) {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  constexpr unsigned amx_tile = 1u << 24;
  if ((d & amx_tile) == 0 || (d & feature) == 0) return false;
  constexpr int request_permission = 0x1023, tile_data = 18;
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

#else

struct EmulatedTiles {
  std::int8_t bytes[8][tile_bytes];

  void load(int tile, const void* from, Index stride) {
    for (Index r = 0; r < 16; ++r)
      std::memcpy(bytes[tile] + r * row_bytes, static_cast<const char*>(from) + r * stride,
                  row_bytes);
  }
  void store(int tile, void* to, Index stride) const {
    for (Index r = 0; r < 16; ++r)
      std::memcpy(static_cast<char*>(to) + r * stride, bytes[tile] + r * row_bytes, row_bytes);
  }
  void multiply_int8(int sums, int a, int b) {
    std::int32_t total[16][16];
    std::memcpy(total, bytes[sums], sizeof total);
    for (Index m = 0; m < 16; ++m)
      for (Index k = 0; k < 16; ++k)
        for (Index n = 0; n < 16; ++n)
          for (Index part = 0; part < 4; ++part)
            total[m][n] +=
                bytes[a][m * row_bytes + 4 * k + part] * bytes[b][k * row_bytes + 4 * n + part];
    std::memcpy(bytes[sums], total, sizeof total);
  }
  void multiply_bfloat16(int sums, int a, int b) {
    float total[16][16];
    std::memcpy(total, bytes[sums], sizeof total);
    for (Index m = 0; m < 16; ++m)
      for (Index k = 0; k < 16; ++k)
        for (Index n = 0; n < 16; ++n)
          for (Index part = 0; part < 2; ++part)
            total[m][n] += bfloat16_at(a, m, 2 * k + part) * bfloat16_at(b, k, 2 * n + part);
    std::memcpy(bytes[sums], total, sizeof total);
  }

 private:
  float bfloat16_at(int tile, Index row, Index column) const {
    std::uint16_t half;
    std::memcpy(&half, bytes[tile] + row * row_bytes + column * 2, sizeof half);
    return std::bit_cast<float>(static_cast<std::uint32_t>(half) << 16);
  }
};

#define CONFIGURE() EmulatedTiles tiles
#define RELEASE()
#define ZERO(tile) std::memset(tiles.bytes[tile], 0, tile_bytes)
#define LOAD(tile, from, stride) tiles.load(tile, from, stride)
#define LOAD_ONCE(tile, from, stride) tiles.load(tile, from, stride)
#define STORE(tile, to, stride) tiles.store(tile, to, stride)
#define MULTIPLY_INT8(sums, a, b) tiles.multiply_int8(sums, a, b)
#define MULTIPLY_BFLOAT16(sums, a, b) tiles.multiply_bfloat16(sums, a, b)

inline bool tiles_are_usable(unsigned) { return true; }

#endif

}  // namespace
}  // namespace wellgram
