// group_sums, group_squares, group_medians and the two halves of group_moments.
//
// group_sums     reads x once (n d sizeof(T) bytes), memory-bound; group_squares too. A chunk is at
//                most 1,024 rows of one group; the partial sums of a large group are added in row
//                order, so the result does not depend on the number of threads.
// group_medians  gathers a tile's height of columns of one group at a time (n d sizeof(T) bytes
// read,
//                as many written) and cuts them some ten times: a lane each, so about a comparison
//                of vectors per value. A chunk is these columns.
// scatter        n d^2 flops in float64 on register tiles, the lower triangle only; 512 rows
//                or more, of half a million values, are centred and packed at a time, twice.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "cpu/kernels.hpp"
#include "cpu/panels.hpp"
#include "cpu/primitives.hpp"

namespace wellgram {

Groups::Groups(const Index* codes, Index rows, Index groups)
    : starts(static_cast<std::size_t>(groups) + 1) {
  for (Index i = 0; i < rows; ++i)
    if (codes[i] >= 0) ++starts[codes[i] + 1];
  for (Index g = 0; g < groups; ++g) starts[g + 1] += starts[g];
  order.resize(starts[groups]);
  std::vector<Index> next(starts.begin(), starts.end() - 1);
  for (Index i = 0; i < rows; ++i)
    if (codes[i] >= 0) order[next[codes[i]]++] = i;
}

namespace {

// Adds to each group's sums those of its rows, by add(row, group, sums).
template <class T, class Add>
void add_up(View<const T> x, const Groups& groups, View<double> sums, const Team& team,
            const Add& add) {
  constexpr Index chunk_rows = 1024;
  struct Chunk {
    Index group, first, last;  // places in groups.order
    double* out;
  };
  std::vector<Chunk> chunks;
  Index spilled = 0;
  for (Index g = 0; g < groups.count(); ++g)
    spilled += std::max<Index>(0, (groups.size(g) - 1) / chunk_rows);
  Buffer<double> spill(spilled * x.columns);
  std::fill_n(spill.data(), spilled * x.columns, 0.0);

  double* next_spill = spill.data();
  for (Index g = 0; g < groups.count(); ++g)
    for (Index first = groups.starts[g]; first < groups.starts[g + 1]; first += chunk_rows) {
      double* out = sums.row(g);
      if (first != groups.starts[g]) {
        out = next_spill;
        next_spill += x.columns;
      }
      chunks.push_back({g, first, std::min(first + chunk_rows, groups.starts[g + 1]), out});
    }

  team.run(static_cast<Index>(chunks.size()), [&](Index c, int) {
    const Chunk& chunk = chunks[c];
    for (Index k = chunk.first; k < chunk.last; ++k)
      add(x.row(groups.order[k]), chunk.group, chunk.out);
  });

  next_spill = spill.data();
  for (Index g = 0; g < groups.count(); ++g) {
    for (Index first = groups.starts[g] + chunk_rows; first < groups.starts[g + 1];
         first += chunk_rows, next_spill += x.columns)
      for (Index k = 0; k < x.columns; ++k) sums.row(g)[k] += next_spill[k];
  }
}

}  // namespace

template <class T>
void group_sums(View<const T> x, const Groups& groups, View<double> sums, const Team& team) {
  const auto& kernel = kernels<T>();
  add_up(x, groups, sums, team,
         [&](const T* row, Index, double* out) { kernel.add_row(row, x.columns, out); });
}

template <class T>
void group_squares(View<const T> x, const Groups& groups, View<const double> means,
                   View<double> squares, const Team& team) {
  const auto& kernel = kernels<T>();
  add_up(x, groups, squares, team, [&](const T* row, Index g, double* out) {
    kernel.add_squares(row, means.row(g), x.columns, out);
  });
}

template <class T>
void group_medians(View<const T> x, const Groups& groups, View<double> medians, const Team& team) {
  const auto& kernel = kernels<T>();
  const Index block = kernel.tile_rows, blocks = (x.columns + block - 1) / block;
  Index largest = 0;
  for (Index g = 0; g < groups.count(); ++g) largest = std::max(largest, groups.size(g));
  std::vector<Buffer<T>> gathered;
  for (int worker = 0; worker < team.threads(); ++worker) gathered.emplace_back(largest * block);

  team.run(groups.count() * blocks, [&](Index chunk, int worker) {
    const Index g = chunk / blocks, first = chunk % blocks * block;
    const Index columns = std::min(block, x.columns - first), size = groups.size(g);
    double* out = medians.row(g) + first;
    if (size == 0) {
      std::fill_n(out, columns, std::numeric_limits<double>::quiet_NaN());
      return;
    }
    T* values = gathered[worker].data();
    for (Index r = 0; r < size; ++r) {
      const T* row = x.row(groups.rows(g)[r]) + first;
      std::fill_n(std::copy_n(row, columns, values + r * block), block - columns, T(0));
    }
    std::array<double, max_tile> found;
    kernel.column_medians(values, size, found.data());
    std::copy_n(found.begin(), columns, out);
  });
}

template <class T>
void centre_rows(View<const T> x, const Index* rows, const double* mean, View<double> centred,
                 const Team& team) {
  constexpr Index chunk_rows = 256;
  team.run((centred.rows + chunk_rows - 1) / chunk_rows, [&](Index chunk, int) {
    const Index last = std::min(centred.rows, (chunk + 1) * chunk_rows);
    for (Index r = chunk * chunk_rows; r < last; ++r)
      for (Index k = 0; k < x.columns; ++k)
        centred.row(r)[k] = static_cast<double>(x.row(rows[r])[k]) - mean[k];
  });
}

template <class T>
void scatter(View<const T> x, const Index* rows, Index count, const double* mean,
             View<double> scatter, const Team& team) {
  constexpr Index most_together = 4, chunks_a_thread = 4;
  // So many that beginning a loop of threads is nothing beside it.
  const Index depth =
      std::clamp<Index>((Index{1} << 19) / std::max<Index>(x.columns, 1), 512, 4096);
  const auto& kernel = kernels<double>();
  const Index tall = kernel.tile_rows, wide = kernel.tile_columns, d = x.columns;
  const Index left_panels = panel_count(d, tall), right_panels = panel_count(d, wide);
  // Chunks differ in work, since triangles do: several a thread even out.
  const Index together =
      std::clamp<Index>(left_panels / (chunks_a_thread * team.threads()), 1, most_together);
  Buffer<double> left(left_panels * tall * depth), right(right_panels * wide * depth);
  for (Index i = 0; i < d; ++i) std::fill_n(scatter.row(i), d, 0.0);

  for (Index first = 0; first < count; first += depth) {
    const Index steps = std::min(depth, count - first);
    // A row at a time into all panels: columns of x may lie a power of two apart.
    constexpr Index rows_packed = 16;
    team.run((steps + rows_packed - 1) / rows_packed, [&](Index chunk, int) {
      for (Index k = chunk * rows_packed; k < std::min(steps, (chunk + 1) * rows_packed); ++k) {
        const T* row = x.row(rows[first + k]);
        const auto pack = [&](double* panels, Index width, Index count) {
          for (Index p = 0; p < count; ++p) {
            double* out = panels + (p * steps + k) * width;
            const Index from = p * width, present = std::min(width, d - from);
            for (Index w = 0; w < present; ++w)
              out[w] = static_cast<double>(row[from + w]) - mean[from + w];
            std::fill(out + present, out + width, 0.0);
          }
        };
        pack(left.data(), tall, left_panels);
        pack(right.data(), wide, right_panels);
      }
    });
    // Some left panels stay in the second-level cache while the right ones pass by.
    team.run((left_panels + together - 1) / together, [&](Index chunk, int) {
      alignas(64) double tile[max_tile];
      const Index begin = chunk * together, end = std::min(left_panels, begin + together);
      for (Index q = begin * tall / wide; q < right_panels; ++q)
        for (Index p = begin; p < end && p * tall < (q + 1) * wide; ++p) {
          const Index top = p * tall;
          products<double>().gram_tile(left.data() + p * tall * steps,
                                       right.data() + q * wide * steps, steps, tile, nullptr);
          for (Index j = std::max(top, q * wide); j < std::min(d, (q + 1) * wide); ++j) {
            const double* sums = tile + (j - q * wide) * tall;
            double* out = scatter.row(j) + top;
            for (Index i = 0; i < std::min(tall, j + 1 - top); ++i) out[i] += sums[i];
          }
        }
    });
  }
  for (Index i = 0; i < d; ++i)
    for (Index j = 0; j < i; ++j) scatter.row(j)[i] = scatter.row(i)[j];
}

#define INSTANTIATE(T)                                                                        \
  template void group_squares(View<const T>, const Groups&, View<const double>, View<double>, \
                              const Team&);                                                   \
  template void group_sums(View<const T>, const Groups&, View<double>, const Team&);          \
  template void group_medians(View<const T>, const Groups&, View<double>, const Team&);       \
  template void centre_rows(View<const T>, const Index*, const double*, View<double>,         \
                            const Team&);                                                     \
  template void scatter(View<const T>, const Index*, Index, const double*, View<double>,      \
                        const Team&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace wellgram
