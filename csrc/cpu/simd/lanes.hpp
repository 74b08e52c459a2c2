// Vectors of the instruction set this is compiled for, in the compiler's own vector types, and the
// one thing they lack: a comparison as bits.
#pragma once

#include "cpu/kernels.hpp"

#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace wellgram::WELLGRAM_ISA {
namespace {

template <class T>
struct Lanes {
  typedef T Vector __attribute__((vector_size(WELLGRAM_VECTOR_BYTES)));
  static constexpr int count = WELLGRAM_VECTOR_BYTES / sizeof(T);
  typedef Ordered<T> OrderedVector __attribute__((vector_size(WELLGRAM_VECTOR_BYTES)));
  typedef std::int32_t Whole __attribute__((vector_size(count * sizeof(std::int32_t))));
  typedef double Doubles __attribute__((vector_size(count * sizeof(double))));
};
template <class T>
using Vector = typename Lanes<T>::Vector;

template <class T>
Vector<T> load(const T* v) {
  Vector<T> out;
  __builtin_memcpy(&out, v, sizeof out);
  return out;
}

template <class V, class T>
void store(V values, T* out) {
  __builtin_memcpy(out, &values, sizeof values);
}

template <class T>
Vector<T> broadcast(T value) {
  return Vector<T>{} + value;
}

// Bit l: whether a[l] < b[l]; and whether a[l] <= b[l].
#if defined(__AVX512F__)
inline unsigned less(Vector<float> a, Vector<float> b) {
  return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ);
}
inline unsigned less(Vector<double> a, Vector<double> b) {
  return _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ);
}
inline unsigned up_to(Vector<float> a, Vector<float> b) {
  return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ);
}
inline unsigned up_to(Vector<double> a, Vector<double> b) {
  return _mm512_cmp_pd_mask(a, b, _CMP_LE_OQ);
}
#elif defined(__AVX2__)
inline unsigned less(Vector<float> a, Vector<float> b) {
  return static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_LT_OQ)));
}
inline unsigned less(Vector<double> a, Vector<double> b) {
  return static_cast<unsigned>(_mm256_movemask_pd(_mm256_cmp_pd(a, b, _CMP_LT_OQ)));
}
inline unsigned up_to(Vector<float> a, Vector<float> b) {
  return static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_LE_OQ)));
}
inline unsigned up_to(Vector<double> a, Vector<double> b) {
  return static_cast<unsigned>(_mm256_movemask_pd(_mm256_cmp_pd(a, b, _CMP_LE_OQ)));
}
#elif defined(__SSE2__)
inline unsigned less(Vector<float> a, Vector<float> b) {
  return static_cast<unsigned>(_mm_movemask_ps(_mm_cmplt_ps(a, b)));
}
inline unsigned less(Vector<double> a, Vector<double> b) {
  return static_cast<unsigned>(_mm_movemask_pd(_mm_cmplt_pd(a, b)));
}
inline unsigned up_to(Vector<float> a, Vector<float> b) {
  return static_cast<unsigned>(_mm_movemask_ps(_mm_cmple_ps(a, b)));
}
inline unsigned up_to(Vector<double> a, Vector<double> b) {
  return static_cast<unsigned>(_mm_movemask_pd(_mm_cmple_pd(a, b)));
}
#elif defined(__aarch64__)
inline unsigned bits_of(uint32x4_t mask) {
  return vaddvq_u32(vandq_u32(mask, uint32x4_t{1, 2, 4, 8}));
}
inline unsigned bits_of(uint64x2_t mask) {
  return static_cast<unsigned>(vaddvq_u64(vandq_u64(mask, uint64x2_t{1, 2})));
}
inline unsigned less(Vector<float> a, Vector<float> b) { return bits_of(vcltq_f32(a, b)); }
inline unsigned less(Vector<double> a, Vector<double> b) { return bits_of(vcltq_f64(a, b)); }
inline unsigned up_to(Vector<float> a, Vector<float> b) { return bits_of(vcleq_f32(a, b)); }
inline unsigned up_to(Vector<double> a, Vector<double> b) { return bits_of(vcleq_f64(a, b)); }
#else
template <class V>
unsigned less(V a, V b) {
  unsigned bits = 0;
  for (unsigned l = 0; l < sizeof(V) / sizeof(a[0]); ++l) bits |= unsigned(a[l] < b[l]) << l;
  return bits;
}
template <class V>
unsigned up_to(V a, V b) {
  unsigned bits = 0;
  for (unsigned l = 0; l < sizeof(V) / sizeof(a[0]); ++l) bits |= unsigned(a[l] <= b[l]) << l;
  return bits;
}
#endif

// Puts the lanes whose bits are set side by side at `out`, in order, and returns how many they are.
// There is room for a whole vector. Where that takes one instruction no branch depends on the bits.
template <class T>
int put_lanes(Vector<T> values, unsigned bits, T* out) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4)
    _mm512_storeu_ps(out, _mm512_maskz_compress_ps(static_cast<__mmask16>(bits), values));
  else
    _mm512_storeu_pd(out, _mm512_maskz_compress_pd(static_cast<__mmask8>(bits), values));
  return __builtin_popcount(bits);
#else
  int count = 0;
  for (; bits != 0; bits &= bits - 1) out[count++] = values[__builtin_ctz(bits)];
  return count;
#endif
}

// Values rounded to bfloat16, as bfloat16_bits does.
inline Vector<float> as_bfloat16(Vector<float> values) {
  typedef std::uint32_t Bits __attribute__((vector_size(WELLGRAM_VECTOR_BYTES)));
  const auto bits = reinterpret_cast<Bits>(values);
  const Bits rounded = bits + 0x7fff + (bits >> 16 & 1);
  return reinterpret_cast<Vector<float>>((values == values ? rounded : bits | 0x400000) &
                                         0xffff0000);
}

inline float root(float value) { return __builtin_sqrtf(value); }
inline double root(double value) { return __builtin_sqrt(value); }
#if defined(__AVX512F__)
inline Vector<float> root(Vector<float> v) { return _mm512_maskz_sqrt_ps(0xffff, v); }
inline Vector<double> root(Vector<double> v) { return _mm512_maskz_sqrt_pd(0xff, v); }
#elif defined(__AVX2__)
inline Vector<float> root(Vector<float> v) { return _mm256_sqrt_ps(v); }
inline Vector<double> root(Vector<double> v) { return _mm256_sqrt_pd(v); }
#elif defined(__SSE2__)
inline Vector<float> root(Vector<float> v) { return _mm_sqrt_ps(v); }
inline Vector<double> root(Vector<double> v) { return _mm_sqrt_pd(v); }
#elif defined(__aarch64__)
inline Vector<float> root(Vector<float> v) { return vsqrtq_f32(v); }
inline Vector<double> root(Vector<double> v) { return vsqrtq_f64(v); }
#else
template <class V>
V root(V v) {
  for (unsigned l = 0; l < sizeof(V) / sizeof(v[0]); ++l) v[l] = root(v[l]);
  return v;
}
#endif

// A tile: two vectors tall.
template <class T>
struct Tile {
  static constexpr int rows = 2 * Lanes<T>::count;
  static constexpr int columns = WELLGRAM_TILE_COLUMNS;
  static_assert(rows * columns <= max_tile);
};

template <class T>
void store_tile(const Vector<T> (&top)[WELLGRAM_TILE_COLUMNS],
                const Vector<T> (&bottom)[WELLGRAM_TILE_COLUMNS], T* tile) {
  auto* out = reinterpret_cast<Vector<T>*>(tile);
#pragma GCC unroll 16
  for (int j = 0; j < WELLGRAM_TILE_COLUMNS; ++j) {
    out[2 * j] = top[j];
    out[2 * j + 1] = bottom[j];
  }
}

}  // namespace
}  // namespace wellgram::WELLGRAM_ISA
