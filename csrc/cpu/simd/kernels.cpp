// The inner loops, compiled once per instruction set (see CMakeLists.txt), in the compiler's own
// vector types so that one text serves AVX-512, AVX2, NEON and the baseline.
//
// gram_tile: 2 * tile_rows * tile_columns * depth flops on registers; every step loads two vectors
// of a and broadcasts tile_columns values of b.
#include "cpu/kernels.hpp"

#define WELLGRAM_JOIN_(a, b) a##b
#define WELLGRAM_JOIN(a, b) WELLGRAM_JOIN_(a, b)
#define WELLGRAM_STRING_(a) #a
#define WELLGRAM_STRING(a) WELLGRAM_STRING_(a)

namespace wellgram {
namespace WELLGRAM_ISA {
namespace {

template <class T>
struct Tile {
  typedef T Vector __attribute__((vector_size(WELLGRAM_VECTOR_BYTES)));
  static constexpr Index lanes = WELLGRAM_VECTOR_BYTES / sizeof(T);
  static constexpr Index rows = 2 * lanes;
  static constexpr Index columns = WELLGRAM_TILE_COLUMNS;
  static_assert(rows * columns <= max_tile);
};

template <class T>
void gram_tile(const T* a, const T* b, Index depth, T* tile) {
  using Vector = typename Tile<T>::Vector;
  constexpr int columns = Tile<T>::columns;
  Vector top[columns] = {}, bottom[columns] = {};
  for (Index k = 0; k < depth; ++k) {
    const auto* vectors = reinterpret_cast<const Vector*>(a + k * Tile<T>::rows);
    const Vector a0 = vectors[0], a1 = vectors[1];
    const T* step = b + k * columns;
#pragma GCC unroll 16
    for (int j = 0; j < columns; ++j) {
      top[j] += a0 * step[j];
      bottom[j] += a1 * step[j];
    }
  }
  auto* out = reinterpret_cast<Vector*>(tile);
#pragma GCC unroll 16
  for (int j = 0; j < columns; ++j) {
    out[2 * j] = top[j];
    out[2 * j + 1] = bottom[j];
  }
}

// a * b + c as gram_tile rounds it. Written out, because the compiler may take a scalar sum of
// products for a reduction, multiply in vectors and add one by one, and so round twice.
inline float multiply_add(float a, float b, float c) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  return __builtin_fmaf(a, b, c);
#else
  return a * b + c;
#endif
}
inline double multiply_add(double a, double b, double c) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  return __builtin_fma(a, b, c);
#else
  return a * b + c;
#endif
}

// Eight independent chains hide the latency of the multiply-add.
template <class T>
void pair_dots(const T* x, Index x_stride, const T* y, Index y_stride, Index depth, const Index* i,
               const Index* j, Index pairs, T* out) {
  constexpr int width = 8;
  for (Index p = 0; p < pairs; p += width) {
    const T *a[width], *b[width];
    for (int w = 0; w < width; ++w) {
      const Index q = p + w < pairs ? p + w : pairs - 1;
      a[w] = x + i[q] * x_stride;
      b[w] = y + j[q] * y_stride;
    }
    T sum[width] = {};
    for (Index k = 0; k < depth; ++k) {
#pragma GCC unroll 8
      for (int w = 0; w < width; ++w) sum[w] = multiply_add(a[w][k], b[w][k], sum[w]);
    }
    for (int w = 0; w < width && p + w < pairs; ++w) out[p + w] = sum[w];
  }
}

template <class T>
void add_row(const T* row, Index columns, double* sums) {
  for (Index k = 0; k < columns; ++k) sums[k] += static_cast<double>(row[k]);
}

// Eight partial sums, so that the loop is not bound by the latency of one addition.
template <class T>
double sum_of_squares(const T* row, Index columns) {
  constexpr int width = 8;
  double part[width] = {};
  Index k = 0;
  for (; k + width <= columns; k += width)
    for (int w = 0; w < width; ++w) {
      const double value = static_cast<double>(row[k + w]);
      part[w] += value * value;
    }
  for (; k < columns; ++k) part[0] += static_cast<double>(row[k]) * static_cast<double>(row[k]);
  double sum = 0;
  for (int w = 0; w < width; ++w) sum += part[w];
  return sum;
}

template <class T>
void scale_row(const T* row, double factor, Index columns, T* out) {
  for (Index k = 0; k < columns; ++k) out[k] = static_cast<T>(static_cast<double>(row[k]) * factor);
}

// Tiles are short, so 32-bit counters are wide enough and leave the lanes as wide as the values.
template <class T>
Index count_below(const T* v, Index count, T t) {
  int below = 0;
  for (Index k = 0; k < count; ++k) below += v[k] < t;
  return below;
}

template <class T>
Split split(const T* v, Index count, T low, T high) {
  int below = 0, up_to_high = 0;
  for (Index k = 0; k < count; ++k) {
    below += v[k] < low;
    up_to_high += v[k] <= high;
  }
  return {below, up_to_high - below};
}

template <class T>
constexpr Kernels<T> table() {
  return {Tile<T>::rows,     Tile<T>::columns, gram_tile<T>,   pair_dots<T>, add_row<T>,
          sum_of_squares<T>, scale_row<T>,     count_below<T>, split<T>};
}

bool supported() {
#if defined(__AVX512F__)
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#elif defined(__AVX2__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return true;
#endif
}

}  // namespace
}  // namespace WELLGRAM_ISA

extern const InstructionSet WELLGRAM_JOIN(set_, WELLGRAM_ISA);
const InstructionSet WELLGRAM_JOIN(set_, WELLGRAM_ISA) = {
    WELLGRAM_STRING(WELLGRAM_ISA), WELLGRAM_ISA::supported, WELLGRAM_ISA::table<float>(),
    WELLGRAM_ISA::table<double>()};

}  // namespace wellgram
