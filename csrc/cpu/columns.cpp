// rows_of_columns and row_faults.
//
// rows_of_columns  a table's columns as rows: reads and writes n d values once, memory-bound. A
//                  chunk is 256 rows. Within it 16 x 16 values at a time pass through a tile, so
//                  that each line of cache is read and written once: columns often lie a power of
//                  two apart, where lines that are kept for later drive each other out.
// row_faults       reads n d values once and looks at their bits, so a NaN costs no more than a 1.
#include <algorithm>
#include <bit>
#include <limits>
#include <type_traits>

#include "cpu/primitives.hpp"

namespace wellgram {

namespace {

constexpr Index chunk_rows = 256;

template <class T>
using Bits = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;

template <class T>
Fault fault_of(const T* row, Index columns) {
  constexpr Bits<T> all_but_sign = std::numeric_limits<Bits<T>>::max();
  const auto infinite = std::bit_cast<Bits<T>>(std::numeric_limits<T>::infinity());
  Bits<T> any = 0, beyond = 0;
  for (Index k = 0; k < columns; ++k) {
    const auto size = static_cast<Bits<T>>(std::bit_cast<Bits<T>>(row[k]) & all_but_sign);
    any |= size;
    beyond |= static_cast<Bits<T>>(-static_cast<Bits<T>>(size >= infinite));
  }
  if (beyond != 0) return Fault::not_finite;
  return any == 0 ? Fault::zero : Fault::none;
}

}  // namespace

template <class T>
void rows_of_columns(const T* const* columns, View<T> rows, const Team& team) {
  constexpr Index side = 16;
  team.run((rows.rows + chunk_rows - 1) / chunk_rows, [&](Index chunk, int) {
    const Index last = std::min(rows.rows, (chunk + 1) * chunk_rows);
    T tile[side][side];
    for (Index left = 0; left < rows.columns; left += side) {
      const Index wide = std::min(side, rows.columns - left);
      for (Index top = chunk * chunk_rows; top < last; top += side) {
        const Index tall = std::min(side, last - top);
        for (Index k = 0; k < wide; ++k) std::copy_n(columns[left + k] + top, tall, tile[k]);
        for (Index i = 0; i < tall; ++i) {
          T* out = rows.row(top + i) + left;
          for (Index k = 0; k < wide; ++k) out[k] = tile[k][i];
        }
      }
    }
  });
}

template <class T>
void row_faults(View<const T> x, Fault* faults, const Team& team) {
  team.run((x.rows + chunk_rows - 1) / chunk_rows, [&](Index chunk, int) {
    const Index last = std::min(x.rows, (chunk + 1) * chunk_rows);
    for (Index i = chunk * chunk_rows; i < last; ++i) faults[i] = fault_of(x.row(i), x.columns);
  });
}

#define INSTANTIATE(T)                                                  \
  template void rows_of_columns(const T* const*, View<T>, const Team&); \
  template void row_faults(View<const T>, Fault*, const Team&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace wellgram
