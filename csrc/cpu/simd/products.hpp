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

#if defined(__AVX512F__)

// Sixteen pairs side by side, a lane each. Rows lie along memory, lanes go across: sixteen features
// of sixteen rows are turned.
inline void turn(__m512 (&v)[16]) {
  // The forms without a mask read what GCC takes for uninitialised.
  constexpr __mmask16 all = 0xffff;
  __m512 t[16];
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_maskz_unpacklo_ps(all, v[i], v[i + 1]);
    t[i + 1] = _mm512_maskz_unpackhi_ps(all, v[i], v[i + 1]);
  }
  const auto low = [](__m512 a, __m512 b) {
    return _mm512_castpd_ps(
        _mm512_maskz_unpacklo_pd(0xff, _mm512_castps_pd(a), _mm512_castps_pd(b)));
  };
  const auto high = [](__m512 a, __m512 b) {
    return _mm512_castpd_ps(
        _mm512_maskz_unpackhi_pd(0xff, _mm512_castps_pd(a), _mm512_castps_pd(b)));
  };
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    v[i] = low(t[i], t[i + 2]);
    v[i + 1] = high(t[i], t[i + 2]);
    v[i + 2] = low(t[i + 1], t[i + 3]);
    v[i + 3] = high(t[i + 1], t[i + 3]);
  }
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    t[j] = _mm512_maskz_shuffle_f32x4(all, v[j], v[j + 4], 0x88);
    t[j + 4] = _mm512_maskz_shuffle_f32x4(all, v[j], v[j + 4], 0xdd);
    t[j + 8] = _mm512_maskz_shuffle_f32x4(all, v[j + 8], v[j + 12], 0x88);
    t[j + 12] = _mm512_maskz_shuffle_f32x4(all, v[j + 8], v[j + 12], 0xdd);
  }
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    v[j] = _mm512_maskz_shuffle_f32x4(all, t[j], t[j + 8], 0x88);
    v[j + 8] = _mm512_maskz_shuffle_f32x4(all, t[j], t[j + 8], 0xdd);
    v[j + 4] = _mm512_maskz_shuffle_f32x4(all, t[j + 4], t[j + 12], 0x88);
    v[j + 12] = _mm512_maskz_shuffle_f32x4(all, t[j + 4], t[j + 12], 0xdd);
  }
}

using SixteenRows = const float* [16];

inline void turned(const SixteenRows& rows, Index k, __mmask16 present, __m512 (&out)[16]) {
#pragma GCC unroll 16
  for (int w = 0; w < 16; ++w) out[w] = _mm512_maskz_loadu_ps(present, rows[w] + k);
  turn(out);
}

// Rows lie far apart, so that no processor sees which come next.
inline void send_for(const SixteenRows& rows, Index k) {
#pragma GCC unroll 16
  for (int w = 0; w < 16; ++w) _mm_prefetch(rows[w] + k, _MM_HINT_T1);
}

// How values are multiplied. `ready` makes sixteen features of sixteen rows the operands of
// 16 / features_a_step steps; `operand` gives that of one row, from its first feature on.
struct Float32Steps {
  static constexpr int features_a_step = 1;
  static void ready(__m512 (&)[16]) {}
  static __m512 operand(const float* row, Index) { return _mm512_set1_ps(row[0]); }
  static __m512 multiply(__m512 sum, __m512 a, __m512 b) { return _mm512_fmadd_ps(a, b, sum); }
};

#if defined(__AVX512BF16__)

struct Bfloat16Steps {
  static constexpr int features_a_step = 2;
  static void ready(__m512 (&v)[16]) {
#pragma GCC unroll 8
    for (int w = 0; w < 8; ++w) {
      const __m512i first = _mm512_maskz_cvtepu16_epi32(0xffff, halves(v[2 * w]));
      const __m512i second = _mm512_maskz_cvtepu16_epi32(0xffff, halves(v[2 * w + 1]));
      v[w] =
          _mm512_castsi512_ps(_mm512_or_si512(first, _mm512_maskz_slli_epi32(0xffff, second, 16)));
    }
  }
  static __m512 operand(const float* row, Index left) {
    const Bfloat16Pair pair(row[0], left > 1 ? row[1] : 0.0f);
    return _mm512_castsi512_ps(_mm512_set1_epi32(static_cast<int>(pair.bits)));
  }
  static __m512 multiply(__m512 sum, __m512 a, __m512 b) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
  }

 private:
  static __m256i halves(__m512 v) {
    return reinterpret_cast<__m256i>(_mm512_maskz_cvtneps_pbh(0xffff, v));
  }
};

#else

struct Bfloat16Steps {
  static constexpr int features_a_step = 1;
  static void ready(__m512 (&v)[16]) {
#pragma GCC unroll 16
    for (int w = 0; w < 16; ++w) v[w] = as_bfloat16(v[w]);
  }
  static __m512 operand(const float* row, Index) {
    return _mm512_set1_ps(wellgram::as_bfloat16(row[0]));
  }
  static __m512 multiply(__m512 sum, __m512 a, __m512 b) { return _mm512_fmadd_ps(a, b, sum); }
};

#endif

// Pairs of one row share it: its values are broadcast.
template <class Steps>
__m512 dots_of_one(const float* a, const SixteenRows& b, const SixteenRows& next, Index features) {
  constexpr int step = Steps::features_a_step;
  __m512 sum = _mm512_setzero_ps(), right[16];
  Index k = 0;
  for (; k + 16 <= features; k += 16) {
    send_for(next, k);
    turned(b, k, 0xffff, right);
    Steps::ready(right);
#pragma GCC unroll 16
    for (int w = 0; w < 16 / step; ++w)
      sum = Steps::multiply(sum, Steps::operand(a + k + step * w, 16), right[w]);
  }
  if (k < features) {
    turned(b, k, static_cast<__mmask16>((1u << (features - k)) - 1), right);
    Steps::ready(right);
  }
  for (int w = 0; k + step * w < features; ++w)
    sum = Steps::multiply(sum, Steps::operand(a + k + step * w, features - k - step * w), right[w]);
  return sum;
}

template <class Steps>
__m512 dots_of_any(const SixteenRows& a, const SixteenRows& b, const SixteenRows& next,
                   Index features) {
  constexpr int step = Steps::features_a_step;
  __m512 sum = _mm512_setzero_ps(), left[16], right[16];
  Index k = 0;
  for (; k + 16 <= features; k += 16) {
    send_for(next, k);
    turned(a, k, 0xffff, left);
    turned(b, k, 0xffff, right);
    Steps::ready(left);
    Steps::ready(right);
#pragma GCC unroll 16
    for (int w = 0; w < 16 / step; ++w) sum = Steps::multiply(sum, left[w], right[w]);
  }
  if (k < features) {
    const auto present = static_cast<__mmask16>((1u << (features - k)) - 1);
    turned(a, k, present, left);
    turned(b, k, present, right);
    Steps::ready(left);
    Steps::ready(right);
  }
  for (int w = 0; k + step * w < features; ++w) sum = Steps::multiply(sum, left[w], right[w]);
  return sum;
}

template <class Steps>
void sixteen_dots(const float* x, Index x_stride, const float* y, Index y_stride, Index features,
                  const Index* i, const Index* j, Index pairs, float* out) {
  constexpr Index worth_sharing = 8;
  for (Index p = 0; p < pairs;) {
    Index count = 1, most = pairs - p < 16 ? pairs - p : 16;
    while (count < most && i[p + count] == i[p]) ++count;
    const bool shared = count >= worth_sharing;
    if (!shared) count = most;
    SixteenRows a, b, next;
    for (Index w = 0; w < 16; ++w) {
      const Index at = p + (w < count ? w : count - 1);
      const Index after = p + count + w < pairs ? p + count + w : pairs - 1;
      a[w] = x + i[at] * x_stride;
      b[w] = y + j[at] * y_stride;
      next[w] = y + j[after] * y_stride;
    }
    const __m512 sums = shared ? dots_of_one<Steps>(a[0], b, next, features)
                               : dots_of_any<Steps>(a, b, next, features);
    _mm512_mask_storeu_ps(out + p, static_cast<__mmask16>((1u << count) - 1), sums);
    p += count;
  }
}

#endif

template <class T>
void pair_dots(const T* x, Index x_stride, const T* y, Index y_stride, Index features,
               const Index* i, const Index* j, Index pairs, T* out) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) {
    sixteen_dots<Float32Steps>(x, x_stride, y, y_stride, features, i, j, pairs, out);
    return;
  }
#endif
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

// The same on pairs of bfloat16, by the instruction for it, which rounds in a way of its own.
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

#endif

// Of rows that are rounded to bfloat16, by the chain of the tiles that a pass makes of them:
// without the instruction, those of float32.
void pair_dots_bf16(const float* x, Index x_stride, const float* y, Index y_stride, Index features,
                    const Index* i, const Index* j, Index pairs, float* out) {
#if defined(__AVX512F__)
  sixteen_dots<Bfloat16Steps>(x, x_stride, y, y_stride, features, i, j, pairs, out);
#else
  for (Index p = 0; p < pairs; p += chains) {
    const PairRows<float> rows(x, x_stride, y, y_stride, i, j, p, pairs);
    float sum[chains] = {};
    for (Index k = 0; k < features; ++k)
      for (int w = 0; w < chains; ++w)
        sum[w] = multiply_add(wellgram::as_bfloat16(rows.a[w][k]),
                              wellgram::as_bfloat16(rows.b[w][k]), sum[w]);
    for (int w = 0; w < chains && p + w < pairs; ++w) out[p + w] = sum[w];
  }
#endif
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
