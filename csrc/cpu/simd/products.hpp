// gram_tile and pair_dots.
//
// gram_tile: 2 * tile_rows * tile_columns * depth flops on registers; every step loads two vectors
// of a and broadcasts tile_columns values of b.
#pragma once

#include "cpu/simd/lanes.hpp"
#include "cpu/simd/ranks.hpp"

namespace wellgram::WELLGRAM_ISA {
namespace {

// One step of a float or double tile. (That of bfloat16 is below.)
template <class T>
inline void multiply_step(const T* a, const T* b, Vector<T> (&top)[WELLGRAM_TILE_COLUMNS],
                          Vector<T> (&bottom)[WELLGRAM_TILE_COLUMNS]) {
  const auto* vectors = reinterpret_cast<const Vector<T>*>(a);
  const Vector<T> a0 = vectors[0], a1 = vectors[1];
#pragma GCC unroll 16
  for (int j = 0; j < WELLGRAM_TILE_COLUMNS; ++j) {
    top[j] += a0 * b[j];
    bottom[j] += a1 * b[j];
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
constexpr int chains = 8;

template <class T>
struct PairRows {
  PairRows(const T* x, Index x_stride, const T* y, Index y_stride, const Index* i, const Index* j,
           Index first, Index pairs) {
    for (int w = 0; w < chains; ++w) {
      const Index p = first + w < pairs ? first + w : pairs - 1;
      a[w] = x + i[p] * x_stride;
      b[w] = y + j[p] * y_stride;
    }
  }
  const T *a[chains], *b[chains];
};

template <class T>
void pair_dots(const T* x, Index x_stride, const T* y, Index y_stride, Index features,
               const Index* i, const Index* j, Index pairs, T* out) {
  for (Index p = 0; p < pairs; p += chains) {
    const PairRows<T> rows(x, x_stride, y, y_stride, i, j, p, pairs);
    T sum[chains] = {};
    for (Index k = 0; k < features; ++k) {
#pragma GCC unroll 8
      for (int w = 0; w < chains; ++w) sum[w] = multiply_add(rows.a[w][k], rows.b[w][k], sum[w]);
    }
    for (int w = 0; w < chains && p + w < pairs; ++w) out[p + w] = sum[w];
  }
}

// The same on pairs of bfloat16: by the instruction for it where there is one, which rounds in a
// way of its own, else widened to float32, the first of the two values before the second.
#if defined(__AVX512BF16__)

inline __m512bh pairs_of(__m512i bits) { return reinterpret_cast<__m512bh>(bits); }

inline void multiply_step(const Bfloat16Pair* a, const Bfloat16Pair* b,
                          Vector<float> (&top)[WELLGRAM_TILE_COLUMNS],
                          Vector<float> (&bottom)[WELLGRAM_TILE_COLUMNS]) {
  const auto* vectors = reinterpret_cast<const __m512i*>(a);
  const __m512bh a0 = pairs_of(vectors[0]), a1 = pairs_of(vectors[1]);
#pragma GCC unroll 16
  for (int j = 0; j < WELLGRAM_TILE_COLUMNS; ++j) {
    const __m512bh value = pairs_of(_mm512_set1_epi32(static_cast<int>(b[j].bits)));
    top[j] = _mm512_dpbf16_ps(top[j], a0, value);
    bottom[j] = _mm512_dpbf16_ps(bottom[j], a1, value);
  }
}

// One chain per vector, of which one lane counts.
struct Chain {
  __m512 sum = _mm512_setzero_ps();
  void step(Bfloat16Pair a, Bfloat16Pair b) {
    sum = _mm512_dpbf16_ps(sum, pairs_of(_mm512_set1_epi32(static_cast<int>(a.bits))),
                           pairs_of(_mm512_set1_epi32(static_cast<int>(b.bits))));
  }
  float value() const { return _mm512_cvtss_f32(sum); }
};

#else

typedef std::uint32_t Bits __attribute__((vector_size(WELLGRAM_VECTOR_BYTES)));
inline Vector<float> first_of(Bits pairs) { return reinterpret_cast<Vector<float>>(pairs << 16); }
inline Vector<float> second_of(Bits pairs) {
  return reinterpret_cast<Vector<float>>(pairs & 0xffff0000u);
}
inline float first_of(Bfloat16Pair pair) {
  const std::uint32_t bits = pair.bits << 16;
  float value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}
inline float second_of(Bfloat16Pair pair) {
  const std::uint32_t bits = pair.bits & 0xffff0000u;
  float value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

inline void multiply_step(const Bfloat16Pair* a, const Bfloat16Pair* b,
                          Vector<float> (&top)[WELLGRAM_TILE_COLUMNS],
                          Vector<float> (&bottom)[WELLGRAM_TILE_COLUMNS]) {
  const auto* vectors = reinterpret_cast<const Bits*>(a);
  const Vector<float> a0 = first_of(vectors[0]), a1 = first_of(vectors[1]);
  const Vector<float> a2 = second_of(vectors[0]), a3 = second_of(vectors[1]);
#pragma GCC unroll 16
  for (int j = 0; j < WELLGRAM_TILE_COLUMNS; ++j) {
    const float first = first_of(b[j]), second = second_of(b[j]);
    top[j] += a0 * first;
    bottom[j] += a1 * first;
    top[j] += a2 * second;
    bottom[j] += a3 * second;
  }
}

struct Chain {
  float sum = 0;
  void step(Bfloat16Pair a, Bfloat16Pair b) {
    sum = multiply_add(first_of(a), first_of(b), sum);
    sum = multiply_add(second_of(a), second_of(b), sum);
  }
  float value() const { return sum; }
};

#endif

inline Bfloat16Pair pair_at(const float* row, Index k, Index features) {
  return {row[k], k + 1 < features ? row[k + 1] : 0.0f};
}

void pair_dots_bf16(const float* x, Index x_stride, const float* y, Index y_stride, Index features,
                    const Index* i, const Index* j, Index pairs, float* out) {
  for (Index p = 0; p < pairs; p += chains) {
    const PairRows<float> rows(x, x_stride, y, y_stride, i, j, p, pairs);
    Chain chain[chains];
    for (Index k = 0; k < features; k += 2)
      for (int w = 0; w < chains; ++w)
        chain[w].step(pair_at(rows.a[w], k, features), pair_at(rows.b[w], k, features));
    for (int w = 0; w < chains && p + w < pairs; ++w) out[p + w] = chain[w].value();
  }
}

// Products wait for arithmetic, a tally for memory: it is made a value at a time between the steps
// of the product, and costs little there.
template <class P>
void gram_tile(const P* a, const P* b, Index depth, Product<P>* tile, const Tally* beside) {
  using T = Product<P>;
  constexpr Index rows = Tile<T>::rows, columns = Tile<T>::columns;
  Vector<T> top[columns] = {}, bottom[columns] = {};
  Index k = 0;
  if (beside != nullptr) {
    const TallySteps<T> tally{*beside};
    const Index stride = depth / tally.count > 0 ? depth / tally.count : 1;
    for (Index s = 0; s < tally.count; ++s) {
      tally.step(s);
      for (const Index end = k + stride < depth ? k + stride : depth; k < end; ++k)
        multiply_step(a + k * rows, b + k * columns, top, bottom);
    }
  }
  for (; k < depth; ++k) multiply_step(a + k * rows, b + k * columns, top, bottom);
  store_tile(top, bottom, tile);
}

}  // namespace
}  // namespace wellgram::WELLGRAM_ISA
