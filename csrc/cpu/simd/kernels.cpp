// The inner loops, compiled once per instruction set (see CMakeLists.txt), in the compiler's own
// vector types so that one text serves AVX-512, AVX2, NEON and the baseline.
#include "cpu/kernels.hpp"

#include "cpu/simd/above.hpp"
#include "cpu/simd/cosines.hpp"
#include "cpu/simd/distances.hpp"
#include "cpu/simd/medians.hpp"
#include "cpu/simd/products.hpp"
#include "cpu/simd/ranks.hpp"
#include "cpu/simd/rows.hpp"
#include "cpu/simd/screens.hpp"
#include "cpu/simd/trees.hpp"

#define WELLGRAM_JOIN_(a, b) a##b
#define WELLGRAM_JOIN(a, b) WELLGRAM_JOIN_(a, b)
#define WELLGRAM_STRING_(a) #a
#define WELLGRAM_STRING(a) WELLGRAM_STRING_(a)

namespace wellgram {
namespace WELLGRAM_ISA {
namespace {

template <class T>
constexpr Kernels<T> loops() {
  return {Tile<T>::rows,
          Tile<T>::columns,
          add_row<T>,
          add_rows<T>,
          add_squares<T>,
          sum_of_squares<T>,
          scale_row<T>,
          count_below<T>,
          split<T>,
          collect<T>,
          count_bins<T>,
          find_bins<T>,
          tally<T>,
          pick<T>,
          count_by_key<T>,
          admit<T>,
          add_moments<T>,
          leave_out<T>,
          count_above<T>,
          count_column_above<T>,
          count_places<T>,
          tree_count<T>(),
          column_tree_count<T>(),
          column_medians<T>,
          distance_tile<T>,
          to_distances<T>,
          sum_cells<T>};
}

#if defined(__AVX512VNNI__)
constexpr bool screen_pays = true;
#else
constexpr bool screen_pays = false;
#endif

// Null where a set has no instruction for it, and float32 serves.
#if defined(__AVX512BF16__)
constexpr auto bfloat16_tile = gram_tile<Bfloat16Pair>;
#else
constexpr decltype(Products<Bfloat16Pair>::gram_tile) bfloat16_tile = nullptr;
#endif

bool supported() {
#if defined(__AVX512BF16__)
  // Processors of Intel make these products at half the rate of float32, those of AMD at twice.
  if (!__builtin_cpu_supports("avx512bf16") || __builtin_cpu_is("intel")) return false;
#endif
#if defined(__AVX512VNNI__)
  if (!__builtin_cpu_supports("avx512vnni")) return false;
#endif
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

// numpy_similarity.cpp
void numpy_tile(RowSimilarity, const float*, const float*, Index, const float*, const float*,
                float*);
void numpy_tile(RowSimilarity, const double*, const double*, Index, const double*, const double*,
                double*);

}  // namespace WELLGRAM_ISA

extern const InstructionSet WELLGRAM_JOIN(set_, WELLGRAM_ISA);
const InstructionSet WELLGRAM_JOIN(set_, WELLGRAM_ISA) = {
    WELLGRAM_STRING(WELLGRAM_ISA),
    WELLGRAM_ISA::supported,
    WELLGRAM_ISA::loops<float>(),
    WELLGRAM_ISA::loops<double>(),
    {WELLGRAM_ISA::gram_tile<float>, WELLGRAM_ISA::pair_dots<float>},
    {WELLGRAM_ISA::gram_tile<double>, WELLGRAM_ISA::pair_dots<double>},
    {WELLGRAM_ISA::bfloat16_tile, WELLGRAM_ISA::pair_dots_bf16},
    WELLGRAM_ISA::numpy_tile,
    WELLGRAM_ISA::numpy_tile,
    {WELLGRAM_ISA::screen_pays, WELLGRAM_ISA::largest_size, WELLGRAM_ISA::quantise,
     WELLGRAM_ISA::int16_tile, WELLGRAM_ISA::join_parts, WELLGRAM_ISA::sift,
     WELLGRAM_ISA::sift_bins, WELLGRAM_ISA::near_values, WELLGRAM_ISA::near_column_values,
     WELLGRAM_ISA::dot<WELLGRAM_ISA::AsIs>, WELLGRAM_ISA::dot<WELLGRAM_ISA::AsBfloat16>,
     WELLGRAM_ISA::dot_additions}};

}  // namespace wellgram
