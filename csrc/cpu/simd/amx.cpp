// Products of parts by tiles of AMX: 16 rows of 64 bytes, of which an instruction multiplies two.
//
// A unit of 16 right rows is the first operand, half of 32 left rows the second. Both halves and
// both sums fill four tiles, and a step of 64 features takes six loads and six products. Features
// come in blocks, so that a block of the left panel stays in the first-level cache while the right
// units stream past it.
//
// Compiled twice: for the unit itself, and with tiles emulated in memory, for tests on any
// processor.
#include <cstring>

#include "cpu/part_products.hpp"

#if defined(__AMX_INT8__)
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace wellgram {

namespace {

constexpr Index tile_bytes = 1024, row_bytes = 64, left_vectors = 32, right_vectors = 16;
constexpr Index sum_size = left_vectors * right_vectors;
constexpr Index sum_stride = left_vectors * static_cast<Index>(sizeof(std::int32_t));
constexpr Index steps_of_a_block = 8;  // 32 KiB of a left panel

#if defined(__AMX_INT8__)

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
#define MULTIPLY(sums, a, b) _tile_dpbssd(sums, a, b)

// Tiles are saved with a thread, so the system wants to be asked first. It says no where a signal
// stack is too small for them.
bool usable() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  constexpr unsigned amx_tile = 1u << 24, amx_int8 = 1u << 25;
  if ((d & amx_tile) == 0 || (d & amx_int8) == 0) return false;
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
  void multiply(int sums, int a, int b) {
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
};

#define CONFIGURE() EmulatedTiles tiles
#define RELEASE()
#define ZERO(tile) std::memset(tiles.bytes[tile], 0, tile_bytes)
#define LOAD(tile, from, stride) tiles.load(tile, from, stride)
#define LOAD_ONCE(tile, from, stride) tiles.load(tile, from, stride)
#define STORE(tile, to, stride) tiles.store(tile, to, stride)
#define MULTIPLY(sums, a, b) tiles.multiply(sums, a, b)

bool usable() { return true; }

#endif

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
        MULTIPLY(0, 4, 6);
        LOAD(7, l + tile_bytes, row_bytes);
        MULTIPLY(1, 4, 7);
        LOAD_ONCE(5, r + tile_bytes, row_bytes);
        MULTIPLY(2, 5, 6);
        MULTIPLY(3, 5, 7);
        LOAD(6, l + 2 * tile_bytes, row_bytes);
        MULTIPLY(2, 4, 6);
        LOAD(7, l + 3 * tile_bytes, row_bytes);
        MULTIPLY(3, 4, 7);
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

extern const PartProducts WELLGRAM_PART_PRODUCTS;
const PartProducts WELLGRAM_PART_PRODUCTS = {
#if defined(__AMX_INT8__)
    "amx",
    usable,
    true,
#else
    "amx-emulated",
    usable,
    false,
#endif
    {left_vectors, 16, 4},
    {right_vectors, 16, part_features},
    3,
    32,
    12,
    multiply,
};

}  // namespace wellgram
