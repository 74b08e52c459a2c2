// What a screen is made of: rows as whole numbers of 16 bits, their products, and what lies too
// near a bound to be decided by them.
#pragma once

#include "cpu/simd/lanes.hpp"

namespace wellgram::WELLGRAM_ISA {
namespace {

inline float largest_size(const float* row, Index columns) {
  constexpr int width = Lanes<float>::count;
  Vector<float> largest{};
  Index k = 0;
  for (; k + width <= columns; k += width) {
    const auto values = load(row + k), sizes = values < broadcast(0.0f) ? -values : values;
    largest = sizes > largest ? sizes : largest;
  }
  float size = 0;
  for (int l = 0; l < width; ++l) size = largest[l] > size ? largest[l] : size;
  for (; k < columns; ++k) {
    const float one = row[k] < 0 ? -row[k] : row[k];
    size = one > size ? one : size;
  }
  return size;
}

// Rounding to the nearest whole number by adding 1.5 * 2^52 holds for numbers below 2^51.
inline double quantise(const float* row, Index columns, double scale, std::int16_t* out) {
  constexpr double shift = 6755399441055744.0;
  constexpr int width = 8;
  double part[width] = {};
  const auto one = [&](Index k, int w) {
    const double exact = static_cast<double>(row[k]) * scale;
    const double whole = (exact + shift) - shift, rest = exact - whole;
    out[k] = static_cast<std::int16_t>(static_cast<std::int32_t>(whole));
    part[w] += rest * rest;
  };
  Index k = 0;
  for (; k + width <= columns; k += width)
    for (int w = 0; w < width; ++w) one(k + w, w);
  for (; k < columns; ++k) one(k, 0);
  double sum = 0;
  for (int w = 0; w < width; ++w) sum += part[w];
  return sum;
}

// Sums of products of 32 bits, which may wrap meanwhile: only the last must be in range.
typedef std::uint32_t Sums __attribute__((vector_size(WELLGRAM_VECTOR_BYTES)));

#if defined(__AVX512VNNI__)
inline Sums add_products(Sums sums, Sums a, std::uint32_t b) {
  return reinterpret_cast<Sums>(_mm512_dpwssd_epi32(reinterpret_cast<__m512i>(sums),
                                                    reinterpret_cast<__m512i>(a),
                                                    _mm512_set1_epi32(static_cast<int>(b))));
}
#elif defined(__AVX512BW__)
inline Sums add_products(Sums sums, Sums a, std::uint32_t b) {
  return sums + reinterpret_cast<Sums>(_mm512_madd_epi16(reinterpret_cast<__m512i>(a),
                                                         _mm512_set1_epi32(static_cast<int>(b))));
}
#elif defined(__AVX2__)
inline Sums add_products(Sums sums, Sums a, std::uint32_t b) {
  return sums + reinterpret_cast<Sums>(_mm256_madd_epi16(reinterpret_cast<__m256i>(a),
                                                         _mm256_set1_epi32(static_cast<int>(b))));
}
#elif defined(__SSE2__)
inline Sums add_products(Sums sums, Sums a, std::uint32_t b) {
  return sums + reinterpret_cast<Sums>(_mm_madd_epi16(reinterpret_cast<__m128i>(a),
                                                      _mm_set1_epi32(static_cast<int>(b))));
}
#else
inline std::uint32_t lower(std::uint32_t pair) {
  return static_cast<std::uint32_t>(static_cast<std::int16_t>(pair & 0xffff));
}
inline std::uint32_t upper(std::uint32_t pair) {
  return static_cast<std::uint32_t>(static_cast<std::int16_t>(pair >> 16));
}
inline Sums add_products(Sums sums, Sums a, std::uint32_t b) {
  constexpr int lanes = sizeof(Sums) / sizeof(std::uint32_t);
  for (int l = 0; l < lanes; ++l) sums[l] += lower(a[l]) * lower(b) + upper(a[l]) * upper(b);
  return sums;
}
#endif

inline Vector<float> as_floats(Sums sums) {
  typedef std::int32_t Signed __attribute__((vector_size(WELLGRAM_VECTOR_BYTES)));
  return __builtin_convertvector(reinterpret_cast<Signed>(sums), Vector<float>);
}

inline void int16_tile(const Int16Pair* a, const Int16Pair* b, Index depth, float unit,
                       float* cells) {
  constexpr int rows = Tile<float>::rows, columns = Tile<float>::columns;
  Sums top[columns] = {}, bottom[columns] = {};
  for (Index k = 0; k < depth; ++k) {
    const auto* vectors = reinterpret_cast<const Sums*>(a + k * rows);
    const Sums a0 = vectors[0], a1 = vectors[1];
    const Int16Pair* values = b + k * columns;
#pragma GCC unroll 16
    for (int j = 0; j < columns; ++j) {
      top[j] = add_products(top[j], a0, values[j].bits);
      bottom[j] = add_products(bottom[j], a1, values[j].bits);
    }
  }
  auto* out = reinterpret_cast<Vector<float>*>(cells);
#pragma GCC unroll 16
  for (int j = 0; j < columns; ++j) {
    out[2 * j] = as_floats(top[j]) * unit;
    out[2 * j + 1] = as_floats(bottom[j]) * unit;
  }
}

inline void join_parts(const std::int32_t* high, const std::int32_t* middle, Index count,
                       float unit, float* cells) {
  for (Index c = 0; c < count; ++c)
    cells[c] = unit * (256.0f * static_cast<float>(high[c]) + static_cast<float>(middle[c]));
}

// NaN lies neither below an interval nor within.
inline Index sift(const float* cells, const float* low, const float* high, Index intervals,
                  Index* below, std::uint16_t* doubtful) {
  constexpr int lanes = Lanes<float>::count;
  constexpr int vectors = Tile<float>::rows * Tile<float>::columns / lanes;
  unsigned doubt[vectors] = {};
  for (Index t = 0; t < intervals; ++t) {
    const auto lows = broadcast(low[t]), highs = broadcast(high[t]);
    int count = 0;
    for (int v = 0; v < vectors; ++v) {
      const auto values = load(cells + v * lanes);
      const unsigned under = less(values, lows);
      count += __builtin_popcount(under);
      doubt[v] |= up_to(values, highs) & ~under;
    }
    below[t] += count;
  }
  Index count = 0;
  for (int v = 0; v < vectors; ++v)
    for (unsigned bits = doubt[v]; bits != 0; bits &= bits - 1) {
      const int place = v * lanes + __builtin_ctz(bits);
      doubtful[count++] = static_cast<std::uint16_t>(place);
      for (Index t = 0; t < intervals; ++t) below[t] -= cells[place] < low[t];
    }
  return count;
}

inline Index sift_bins(const float* cells, double bound, double low, double bins_per_unit,
                       Index bins, Index* counts, std::uint16_t* doubtful) {
  constexpr int size = Tile<float>::rows * Tile<float>::columns;
  const double last = static_cast<double>(bins - 1);
  const auto bin_of = [&](double value) {
    const double place = (value - low) * bins_per_unit;
    const double inside = place > 0 ? place : 0;
    return static_cast<std::int32_t>(inside < last ? inside : last);
  };
  std::int32_t first[size], second[size];
  for (int k = 0; k < size; ++k) {
    const double value = static_cast<double>(cells[k]);
    first[k] = bin_of(value - bound);
    second[k] = bin_of(value + bound);
  }
  Index count = 0;
  for (int k = 0; k < size; ++k) {
    if (cells[k] != cells[k]) continue;
    if (first[k] == second[k])
      ++counts[first[k]];
    else
      doubtful[count++] = static_cast<std::uint16_t>(k);
  }
  return count;
}

inline Vector<float> distance(Vector<float> a, Vector<float> b) {
  const auto difference = a - b;
  return difference < broadcast(0.0f) ? -difference : difference;
}

inline Index near_values(const float* cells, Index columns, const float* values, Index depth,
                         float bound, std::uint16_t* doubtful) {
  constexpr int lanes = Lanes<float>::count, rows = Tile<float>::rows;
  const auto bounds = broadcast(bound);
  Index count = 0;
  for (Index j = 0; j < columns; ++j)
    for (int h = 0; h < rows; h += lanes) {
      const int place = static_cast<int>(j) * rows + h;
      const auto cell = load(cells + place);
      unsigned bits = 0;
      for (Index k = 0; k < depth; ++k)
        bits |= up_to(distance(cell, load(values + k * rows + h)), bounds);
      for (; bits != 0; bits &= bits - 1)
        doubtful[count++] = static_cast<std::uint16_t>(place + __builtin_ctz(bits));
    }
  return count;
}

inline Index near_column_values(const float* column, Index first, const float* values, Index depth,
                                float bound, std::uint16_t* doubtful) {
  constexpr int lanes = Lanes<float>::count, rows = Tile<float>::rows;
  const auto bounds = broadcast(bound);
  Index count = 0;
  for (int h = 0; h < rows; h += lanes) {
    const auto cell = load(column + h);
    unsigned bits = 0;
    for (Index k = 0; k < depth; ++k) bits |= up_to(distance(cell, broadcast(values[k])), bounds);
    for (; bits != 0; bits &= bits - 1)
      doubtful[count++] = static_cast<std::uint16_t>(first + h + __builtin_ctz(bits));
  }
  return count;
}

struct AsIs {
  template <class V>
  V operator()(V values) const {
    return values;
  }
};
struct AsBfloat16 {
  Vector<float> operator()(Vector<float> values) const { return as_bfloat16(values); }
  float operator()(float value) const { return wellgram::as_bfloat16(value); }
};

template <class Rounded>
float dot(const float* a, const float* b, Index features) {
  constexpr Rounded rounded;
  constexpr int lanes = Lanes<float>::count;
  Vector<float> first{}, second{};
  Index k = 0;
  for (; k + 2 * lanes <= features; k += 2 * lanes) {
    first += rounded(load(a + k)) * rounded(load(b + k));
    second += rounded(load(a + k + lanes)) * rounded(load(b + k + lanes));
  }
  first += second;
  float rest = 0, sums[lanes];
  for (; k < features; ++k) rest += rounded(a[k]) * rounded(b[k]);
  __builtin_memcpy(sums, &first, sizeof sums);
  for (int half = lanes / 2; half > 0; half /= 2)
    for (int l = 0; l < half; ++l) sums[l] += sums[l + half];
  return sums[0] + rest;
}

// Of a lane, or of the rest; then both halves, the lanes by halves, and the rest.
inline Index dot_additions(Index features) {
  constexpr int lanes = Lanes<float>::count;
  const Index of_lane = features / (2 * lanes), of_rest = features % (2 * lanes);
  return (of_lane > of_rest ? of_lane : of_rest) + 2 + 5;
}

}  // namespace
}  // namespace wellgram::WELLGRAM_ISA
