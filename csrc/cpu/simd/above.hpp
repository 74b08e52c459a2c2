// Counting the cells of a tile above values of their rows: a lane is a row.
#pragma once

#include "cpu/simd/lanes.hpp"

namespace wellgram::WELLGRAM_ISA {
namespace {

template <class T>
using Integers = typename Lanes<T>::OrderedVector;

template <class T>
Integers<T> load_integers(const Ordered<T>* v) {
  Integers<T> out;
  __builtin_memcpy(&out, v, sizeof out);
  return out;
}

template <class T>
void leave_out(T* tile, const Ordered<T>* own, const Ordered<T>* other, Index kinds,
               bool absolute) {
  constexpr int lanes = Lanes<T>::count, rows = Tile<T>::rows, columns = Tile<T>::columns;
  const auto least = broadcast(-std::numeric_limits<T>::infinity());
  for (int j = 0; j < columns; ++j)
    for (int h = 0; h < rows; h += lanes) {
      Vector<T> cells = load(tile + j * rows + h);
      if (absolute) cells = cells < broadcast(T(0)) ? -cells : cells;
      for (Index k = 0; k < kinds; ++k) {
        const auto label = load_integers<T>(own + k * rows + h);
        cells = label == other[k * columns + j] ? least : cells;
      }
      __builtin_memcpy(tile + j * rows + h, &cells, sizeof cells);
    }
}

template <class T>
void count_above(const T* tile, Index columns, const T* values, Index depth, Ordered<T>* counts) {
  constexpr int lanes = Lanes<T>::count, rows = Tile<T>::rows;
  for (Index k = 0; k < depth; ++k)
    for (int h = 0; h < rows; h += lanes) {
      const Vector<T> value = load(values + k * rows + h);
      Ordered<T>* out = counts + k * rows + h;
      Integers<T> count = load_integers<T>(out);
      for (Index j = 0; j < columns; ++j) {
        const auto above = load(tile + j * rows + h) > value;
        count = above ? count + 1 : count;
      }
      __builtin_memcpy(out, &count, sizeof count);
    }
}

template <class T>
void count_column_above(const T* column, const T* values, Index depth, std::uint32_t* counts) {
  constexpr int lanes = Lanes<T>::count;
  const Vector<T> top = load(column), bottom = load(column + lanes);
  for (Index k = 0; k < depth; ++k) {
    const auto value = broadcast(values[k]);
    counts[k] += static_cast<std::uint32_t>(__builtin_popcount(less(value, top)) +
                                            __builtin_popcount(less(value, bottom)));
  }
}

// The values of a vector's rows at one place each: values[places[l]].
#if defined(__AVX512F__)
typedef std::int32_t Places __attribute__((vector_size(64)));
inline Vector<float> gather(const float* values, Places places) {
  return _mm512_mask_i32gather_ps(_mm512_setzero_ps(), 0xffff, reinterpret_cast<__m512i>(places),
                                  values, sizeof(float));
}
typedef std::int32_t HalfPlaces __attribute__((vector_size(32)));
inline Vector<double> gather(const double* values, HalfPlaces places) {
  return _mm512_mask_i32gather_pd(_mm512_setzero_pd(), 0xff, reinterpret_cast<__m256i>(places),
                                  values, sizeof(double));
}
#else
template <class T>
Vector<T> gather(const T* values, typename Lanes<T>::Whole places) {
  Vector<T> out;
  for (int l = 0; l < Lanes<T>::count; ++l) out[l] = values[places[l]];
  return out;
}
#endif

// A search by halves for a vector of cells at a time, several vectors side by side: each step waits
// for memory. There are no branches, which would go either way.
template <class T>
void count_places(const T* tile, Index columns, const T* values, Index depth,
                  std::uint32_t* counts) {
  constexpr int lanes = Lanes<T>::count, rows = Tile<T>::rows, at_once = 4;
  using Whole = typename Lanes<T>::Whole;
  Whole row{};
  for (int l = 0; l < lanes; ++l) row[l] = l;
  const Index vectors = columns * 2;
  for (Index first = 0; first < vectors; first += at_once) {
    Vector<T> cells[at_once];
    Whole places[at_once];
    for (int v = 0; v < at_once; ++v) {
      const Index vector = first + v < vectors ? first + v : vectors - 1;
      cells[v] = load(tile + vector * lanes);
      places[v] = row + static_cast<std::int32_t>(vector % 2 * lanes);
    }
    Index count = depth;
    const auto step = [&](Index from, Index length) {
#pragma GCC unroll 4
      for (int v = 0; v < at_once; ++v) {
        const auto below =
            gather(values, places[v] + static_cast<std::int32_t>(from * rows)) < cells[v];
        const auto further = __builtin_convertvector(below, Whole);  // -1 where so
        places[v] -= further * static_cast<std::int32_t>(length * rows);
      }
    };
    for (; count > 1; count -= count / 2) step(count / 2 - 1, count / 2);
    step(0, 1);
    for (int v = 0; v < at_once && first + v < vectors; ++v)
      for (int l = 0; l < lanes; ++l) ++counts[places[v][l]];
  }
}

}  // namespace
}  // namespace wellgram::WELLGRAM_ISA
