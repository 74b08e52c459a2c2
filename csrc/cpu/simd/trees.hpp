// Searches in trees that lie in registers: see cpu/value_trees.hpp. A step permutes the values of a
// level by the nodes that sixteen cells have come to.
#pragma once

#include "cpu/simd/above.hpp"
#include "cpu/simd/products.hpp"

namespace wellgram::WELLGRAM_ISA {
namespace {

#if defined(__AVX512F__)

template <int levels>
class RegisterTree {
 public:
  explicit RegisterTree(const float* nodes) {
#pragma GCC unroll 16
    for (int v = 0; v < vectors; ++v) nodes_[v] = _mm512_loadu_ps(nodes + 16 * v);
  }

  // How many values lie below each cell.
  __m512i places(__m512 cells) const {
    __m512i node = _mm512_set1_epi32(1);
#pragma GCC unroll 4
    for (int level = 0; level < 4; ++level)
      node = child(node, cells, _mm512_maskz_permutexvar_ps(all, node, nodes_[0]));
    node = child(node, cells, _mm512_maskz_permutexvar_ps(all, node, nodes_[1]));
    if constexpr (levels > 5) node = child(node, cells, of_two(node, 2));
    if constexpr (levels > 6) node = child(node, cells, of_four(node, 4));
    if constexpr (levels > 7) {
      const __mmask16 upper = _mm512_test_epi32_mask(node, _mm512_set1_epi32(64));
      node = child(node, cells, _mm512_mask_blend_ps(upper, of_four(node, 8), of_four(node, 12)));
    }
    return _mm512_maskz_sub_epi32(all, node, _mm512_set1_epi32(1 << levels));
  }

 private:
  static constexpr __mmask16 all = 0xffff;
  static constexpr int vectors = (1 << levels) / 16;

  // The lower bits of a node are its place among the values of one, two or four vectors.
  __m512 of_two(__m512i node, int first) const {
    return _mm512_maskz_permutex2var_ps(all, nodes_[first], node, nodes_[first + 1]);
  }
  __m512 of_four(__m512i node, int first) const {
    const __mmask16 upper = _mm512_test_epi32_mask(node, _mm512_set1_epi32(32));
    return _mm512_mask_blend_ps(upper, of_two(node, first), of_two(node, first + 2));
  }

  static __m512i child(__m512i node, __m512 cells, __m512 values) {
    const __mmask16 below = _mm512_cmp_ps_mask(values, cells, _CMP_LT_OQ);
    const __m512i first = _mm512_maskz_add_epi32(all, node, node);
    return _mm512_mask_add_epi32(first, below, first, _mm512_set1_epi32(1));
  }

  __m512 nodes_[vectors];
};

template <int levels>
void count_in_trees_of(const float* tile, Index columns, const float* trees,
                       std::uint32_t* counts) {
  constexpr int rows = Tile<float>::rows;
  for (int half = 0; half < rows; half += 16) {
    __m512 cells[16];
    for (int j = 0; j < 16; ++j)
      cells[j] = j < columns ? _mm512_loadu_ps(tile + j * rows + half) : _mm512_setzero_ps();
    turn(cells);
    for (int i = 0; i < 16; ++i) {
      const int row = half + i;
      alignas(64) std::int32_t places[16];
      const RegisterTree<levels> tree(trees + (row << levels));
      _mm512_store_si512(places, tree.places(cells[i]));
      for (Index j = 0; j < columns; ++j) ++counts[places[j] * rows + row];
    }
  }
}

template <int levels>
void count_column_in_tree_of(const float* column, const float* tree, std::uint32_t* counts) {
  const RegisterTree<levels> nodes(tree);
  alignas(64) std::int32_t places[Tile<float>::rows];
  for (int half = 0; half < Tile<float>::rows; half += 16)
    _mm512_store_si512(places + half, nodes.places(_mm512_loadu_ps(column + half)));
  for (const std::int32_t place : places) ++counts[place];
}

inline void count_in_trees(const float* tile, Index columns, const float* trees, Index levels,
                           std::uint32_t* counts) {
  switch (levels) {
    case 5:
      return count_in_trees_of<5>(tile, columns, trees, counts);
    case 6:
      return count_in_trees_of<6>(tile, columns, trees, counts);
    case 7:
      return count_in_trees_of<7>(tile, columns, trees, counts);
    default:
      return count_in_trees_of<8>(tile, columns, trees, counts);
  }
}

inline void count_column_in_tree(const float* column, const float* tree, Index levels,
                                 std::uint32_t* counts) {
  switch (levels) {
    case 5:
      return count_column_in_tree_of<5>(column, tree, counts);
    case 6:
      return count_column_in_tree_of<6>(column, tree, counts);
    case 7:
      return count_column_in_tree_of<7>(column, tree, counts);
    default:
      return count_column_in_tree_of<8>(column, tree, counts);
  }
}

#endif

template <class T>
constexpr decltype(Kernels<T>::count_in_trees) tree_count() {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) return count_in_trees;
#endif
  return nullptr;
}

template <class T>
constexpr decltype(Kernels<T>::count_column_in_tree) column_tree_count() {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) return count_column_in_tree;
#endif
  return nullptr;
}

}  // namespace
}  // namespace wellgram::WELLGRAM_ISA
