// The rows of a panel as whole numbers: one scale for all of them, and what rounding takes away.
#pragma once

#include <span>
#include <vector>

#include "cpu/screens/bounds.hpp"

namespace wellgram {

// Calls each(row, whole numbers) for the rows of a panel, of which there may be fewer than it is
// wide. scale_of(length, largest) gives the scale for the longest row and the largest value. It is
// made a float, so that its product with a value is exact in float64.
template <class ScaleOf, class Each>
PanelExtent quantise_rows(std::span<const float* const> rows, Index features,
                          const ScaleOf& scale_of, const Each& each) {
  const auto& kernel = current_set().screen;
  double length = 0, largest = 0, worst = 0;
  for (const float* row : rows) {
    length = std::max(length, row_length(row, features));
    largest = std::max(largest, static_cast<double>(kernel.largest_size(row, features)));
  }
  constexpr double most_scale = 1e30;  // of rows that are next to nothing
  const double scale =
      largest == 0
          ? 1
          : static_cast<float>(std::min(most_scale, scale_of(length, largest) * (1 - 0x1p-23)));
  std::vector<std::int16_t> whole(features);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    worst = std::max(worst, kernel.quantise(rows[r], features, scale, whole.data()));
    each(static_cast<Index>(r), whole.data());
  }
  return {scale, length, std::sqrt(worst) / scale * (1 + 1e-9), 0};
}

}  // namespace wellgram
