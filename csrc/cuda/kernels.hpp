// The kernels that can be launched by name, and what each takes.
#pragma once

#include <string>
#include <type_traits>

#include "kernels/all.hpp"

// Of each type of rows, and the rest.
// clang-format off: it moves the ends of these lines about
#define WELLGRAM_KERNELS_OF(X, T)                                                         \
  X(row_faults<T>) X(unit_rows<T>) X(centre_rows<T, T>) X(centre_columns<T>)              \
  X(subtract_offsets<T>) X(scale_and_add<T>) X(no_rows<T>) X(scale_rows<T>)               \
  X(sum_runs<T>) X(group_medians<T>) X(set_means<T>) X(list_scores<T>) X(products<T>)     \
  X(gather<T>) X(histogram<T>) X(ranks<T>) X(row_moments<T>) X(column_moments<T>)         \
  X(within_groups<T>) X(nearest<T>) X(count_above<T>) X(with_ones<T>)                     \
  X(softmax_slopes<T>) X(add_cells<T>) X(distances<T>)
#define WELLGRAM_KERNELS(X)                                                               \
  WELLGRAM_KERNELS_OF(X, float)                                                           \
  WELLGRAM_KERNELS_OF(X, double)                                                          \
  X(centre_rows<float, double>) X(products<u16>) X(products<s8>) X(round_bfloat16)        \
  X(split_tf32) X(quantise) X(forget_doubts) X(sift_ranks) X(decide_ranks)                \
  X(sift_histogram) X(decide_histogram) X(sift_above) X(decide_above)                     \
  X(screened_cells) X(best_of_groups) X(fill) X(floors) X(sift_nearest)                   \
  X(link_nearest) X(offer_linked)                                                         \
  X(copy_rows<float, float>) X(copy_rows<double, double>) X(copy_rows<Half, float>)       \
  X(copy_rows<u16, float>) X(squared_lengths) X(add_runs) X(identity) X(random_subsets)   \
  X(ranking_precisions) X(resample_counts) X(carry)
// clang-format on

namespace wellgram::gpu {

// 'd' for a double, 'i' for an address or a whole number: what Python hands over.
template <class... A>
std::string signature_of(void (*)(A...)) {
  static_assert(((sizeof(A) == 8 &&
                  (std::is_pointer_v<A> || std::is_same_v<A, i64> || std::is_same_v<A, double>)) &&
                 ...));
  return {(std::is_same_v<A, double> ? 'd' : 'i')...};
}

}  // namespace wellgram::gpu
