// unit_rows, pair_cosines and apply_affine.
//
// unit_rows     reads and writes x once; the length is taken in float64 and cannot overflow.
// pair_cosines  2 m d flops over gathered rows, 512 pairs a chunk.
// apply_affine  n (2 d k + 4 k r) flops: a block of rows is centred, packed, multiplied by the
//               shared basis and corrected by its batch's factor while it is in cache; x is read
//               once and y written once. A chunk is a block of one batch, or a small batch. For one
//               of more rows than features, basis and factor are multiplied first: 4 d k r + 2 n d
//               k flops.
#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu/kernels.hpp"
#include "cpu/panels.hpp"
#include "cpu/primitives.hpp"

namespace wellgram {

// False for a row of zeros, which stays as it is; a row with a NaN or an Inf becomes all NaN. Where
// the squares would leave the range of float64, the row is first scaled by a power of two, which
// rounds nothing.
template <class T>
static bool normalise(const T* row, Index columns, T* out) {
  const auto& kernel = kernels<T>();
  const double squares = kernel.sum_of_squares(row, columns);
  if (squares > 1e-280 && squares < 1e280) {
    kernel.scale_row(row, 1 / std::sqrt(squares), columns, out);
    return true;
  }
  double largest = 0;
  for (Index k = 0; k < columns; ++k) {
    const double size = std::abs(static_cast<double>(row[k]));
    if (!std::isfinite(size)) {
      std::fill_n(out, columns, std::numeric_limits<T>::quiet_NaN());
      return true;
    }
    largest = std::max(largest, size);
  }
  if (largest == 0) {
    std::fill_n(out, columns, T(0));
    return false;
  }
  const int exponent = -std::ilogb(largest);
  double sum = 0;
  for (Index k = 0; k < columns; ++k) {
    const double value = std::ldexp(static_cast<double>(row[k]), exponent);
    sum += value * value;
  }
  for (Index k = 0; k < columns; ++k)
    out[k] = static_cast<T>(std::ldexp(static_cast<double>(row[k]), exponent) / std::sqrt(sum));
  return true;
}

template <class T>
void unit_rows(View<const T> x, View<T> out, bool* zero, const Team& team) {
  constexpr Index chunk_rows = 256;
  team.run((x.rows + chunk_rows - 1) / chunk_rows, [&](Index chunk, int) {
    const Index last = std::min(x.rows, (chunk + 1) * chunk_rows);
    for (Index i = chunk * chunk_rows; i < last; ++i)
      zero[i] = !normalise(x.row(i), x.columns, out.row(i));
  });
}

template <class P>
void pair_cosines(View<const Product<P>> x, View<const Product<P>> y, const Index* i,
                  const Index* j, Index pairs, Product<P>* out, const Team& team) {
  constexpr Index chunk_pairs = 512;
  const auto& kernel = products<P>();
  team.run((pairs + chunk_pairs - 1) / chunk_pairs, [&](Index chunk, int) {
    const Index first = chunk * chunk_pairs, count = std::min(chunk_pairs, pairs - first);
    kernel.pair_dots(x.data, x.stride, y.data, y.stride, x.columns, i + first, j + first, count,
                     out + first);
  });
}

namespace {

// out (rows x width) = packed left (rows, depth) times packed right (depth, width).
template <class T>
void multiply(const T* left, Index rows, const Panels<T>& right, Index width, Index depth, T* out) {
  const auto& kernel = kernels<T>();
  const Index tall = kernel.tile_rows, wide = kernel.tile_columns;
  alignas(64) T tile[max_tile];
  for (Index q = 0; q < right.count(); ++q)
    for (Index p = 0; p * tall < rows; ++p) {
      products<T>().gram_tile(left + p * tall * depth, right[q], depth, tile, nullptr);
      const Index columns = std::min(wide, width - q * wide),
                  height = std::min(tall, rows - p * tall);
      for (Index i = 0; i < height; ++i)
        for (Index j = 0; j < columns; ++j)
          out[(p * tall + i) * width + q * wide + j] = tile[j * tall + i];
    }
}

template <class T>
void pack_block(const T* block, Index rows, Index columns, T* packed) {
  const Index tall = kernels<T>().tile_rows;
  for (Index p = 0; p * tall < rows; ++p)
    pack_panel(p * tall, rows, tall, columns, packed + p * tall * columns,
               [&](Index i, Index k) { return block[i * columns + k]; });
}

// The columns of a matrix, and those of its transpose, as right operands.
template <class T>
Panels<T> pack_columns(const View<const double>& matrix, const Team& team) {
  return Panels<T>(
      matrix.columns, kernels<T>().tile_columns, matrix.rows,
      [&](Index column, Index k) { return static_cast<T>(matrix.row(k)[column]); }, team);
}
template <class T>
Panels<T> pack_rows(const View<const double>& matrix, const Team& team) {
  return Panels<T>(
      matrix.rows, kernels<T>().tile_columns, matrix.columns,
      [&](Index row, Index k) { return static_cast<T>(matrix.row(row)[k]); }, team);
}

// basis (diag(scale) + factor diag(gain) factor'), the map of a batch as one matrix (d x k).
template <class T>
Buffer<double> one_matrix(const AffineMaps<T>& maps, Index b, Index d, Index k, const Team& team) {
  const View<const double>& factor = maps.factors[b];
  const Index r = factor.columns, tall = kernels<double>().tile_rows;
  const auto project = pack_columns<double>(factor, team), expand = pack_rows<double>(factor, team);
  Buffer<double> whole(d * k);
  team.run(panel_count(d, tall), [&](Index p, int) {
    const Index first = p * tall, rows = std::min(tall, d - first);
    Buffer<double> packed(tall * std::max(k, r)), low(tall * r);
    double* out = whole.data() + first * k;
    for (Index i = 0; i < rows; ++i)
      for (Index c = 0; c < k; ++c)
        out[i * k + c] = maps.basis ? maps.basis->row(first + i)[c] : double(first + i == c);
    pack_block(out, rows, k, packed.data());
    multiply(packed.data(), rows, project, r, k, low.data());
    for (Index i = 0; i < rows; ++i) {
      for (Index c = 0; c < r; ++c) low.data()[i * r + c] *= maps.gains[b][c];
      for (Index c = 0; c < k; ++c) out[i * k + c] *= maps.scale.row(b)[c];
    }
    pack_block(low.data(), rows, r, packed.data());
    Buffer<double> added(tall * k);
    multiply(packed.data(), rows, expand, k, r, added.data());
    for (Index c = 0; c < rows * k; ++c) out[c] += added.data()[c];
  });
  return whole;
}

// What one thread needs to carry a block of rows through the steps.
template <class T>
struct Scratch {
  Scratch(Index block, Index d, Index k, Index rank)
      : packed(block * std::max({d, k, rank})),
        z(block * std::max(d, k)),
        low(block * rank),
        added(block * k) {}
  Buffer<T> packed, z, low, added;
};

// row (diag(scale) + factor diag(gain) factor')
template <class T>
std::vector<double> corrected(const AffineMaps<T>& maps, Index b, const double* row, Index k) {
  const View<const double>& factor = maps.factors[b];
  std::vector<double> out(k);
  for (Index c = 0; c < k; ++c) out[c] = row[c] * maps.scale.row(b)[c];
  for (Index q = 0; q < factor.columns; ++q) {
    double low = 0;
    for (Index c = 0; c < k; ++c) low += row[c] * factor.row(c)[q];
    for (Index c = 0; c < k; ++c) out[c] += low * maps.gains[b][q] * factor.row(c)[q];
  }
  return out;
}

// A batch's map, its parts packed as right operands: `whole` and `centre`, or all the others.
template <class T>
struct BatchMap {
  // basis, scale and factor as one matrix
  static BatchMap at_once(const AffineMaps<T>& maps, Index b, Index d, Index k, const Team& team) {
    BatchMap map(k, maps.factors[b].columns);
    const auto matrix = one_matrix(maps, b, d, k, team);
    map.whole.emplace(pack_columns<T>(View<const double>{matrix.data(), d, k, k}, team));
    if (maps.basis) {
      const auto moved = corrected(maps, b, maps.offset.row(b), k);
      std::copy_n(moved.begin(), k, map.offset.begin());
    } else {
      map.centre = maps.offset.row(b);
    }
    return map;
  }

  // For more rows than features one product is less work than three.
  static BatchMap of(const AffineMaps<T>& maps, Index b, Index rows, Index d, Index k,
                     const Team& team) {
    return maps.factors[b].columns > 0 && rows > d ? at_once(maps, b, d, k, team)
                                                   : in_steps(maps, b, k, team);
  }

  static BatchMap in_steps(const AffineMaps<T>& maps, Index b, Index k, const Team& team) {
    BatchMap map(k, maps.factors[b].columns);
    map.project.emplace(pack_columns<T>(maps.factors[b], team));
    map.expand.emplace(pack_rows<T>(maps.factors[b], team));
    std::copy_n(maps.offset.row(b), k, map.offset.begin());
    std::copy_n(maps.scale.row(b), k, map.scale.begin());
    std::copy_n(maps.gains[b], map.gain.size(), map.gain.begin());
    return map;
  }

  std::optional<Panels<T>> whole, project, expand;
  std::vector<T> offset, scale, gain;
  const double* centre = nullptr;  // subtracted after the shift, as exactly

 private:
  BatchMap(Index k, Index rank) : offset(k), scale(k, T(1)), gain(rank) {}
};

// Some rows of a batch by its map.
template <class T>
void apply_map(View<const T> x, const Index* rows, Index count, const AffineMaps<T>& maps,
               const std::optional<Panels<T>>& basis, const BatchMap<T>& map, View<T> y,
               Scratch<T>& s) {
  const Index d = x.columns, k = y.columns, r = static_cast<Index>(map.gain.size());
  const std::optional<Panels<T>>& first = map.whole ? map.whole : basis;
  T* z = s.z.data();
  // The shift is subtracted in float64: embeddings can lie far from the origin.
  for (Index i = 0; i < count; ++i)
    for (Index c = 0; c < d; ++c)
      z[i * d + c] = static_cast<T>(static_cast<double>(x.row(rows[i])[c]) - maps.shift[c] -
                                    (map.centre == nullptr ? 0 : map.centre[c]));
  if (first) {
    pack_block(z, count, d, s.packed.data());
    multiply(s.packed.data(), count, *first, k, d, z);
  }
  for (Index i = 0; i < count; ++i)
    for (Index c = 0; c < k; ++c) z[i * k + c] -= map.offset[c];
  if (r > 0 && !map.whole) {
    T *low = s.low.data(), *added = s.added.data();
    pack_block(z, count, k, s.packed.data());
    multiply(s.packed.data(), count, *map.project, r, k, low);
    for (Index i = 0; i < count; ++i)
      for (Index c = 0; c < r; ++c) low[i * r + c] *= map.gain[c];
    pack_block(low, count, r, s.packed.data());
    multiply(s.packed.data(), count, *map.expand, k, r, added);
    for (Index i = 0; i < count; ++i)
      for (Index c = 0; c < k; ++c)
        y.row(rows[i])[c] = z[i * k + c] * map.scale[c] + added[i * k + c];
  } else {
    for (Index i = 0; i < count; ++i)
      for (Index c = 0; c < k; ++c) y.row(rows[i])[c] = z[i * k + c] * map.scale[c];
  }
}

}  // namespace

template <class T>
void apply_affine(View<const T> x, const Groups& batches, const AffineMaps<T>& maps, View<T> y,
                  const Team& team) {
  const Index tall = kernels<T>().tile_rows, block = (128 + tall - 1) / tall * tall;
  const Index d = x.columns, k = y.columns;
  Index rank = 0;
  for (const auto& factor : maps.factors) rank = std::max(rank, factor.columns);
  std::vector<Scratch<T>> scratch;
  for (int worker = 0; worker < team.threads(); ++worker) scratch.emplace_back(block, d, k, rank);
  std::optional<Panels<T>> basis;
  if (maps.basis) basis.emplace(pack_columns<T>(*maps.basis, team));

  // Small batches are shared among threads whole, their packing too: those of one block, and
  // larger ones where they are many.
  Index most = 16 * block;
  Index many = 0;
  for (Index b = 0; b < batches.count(); ++b)
    many += 0 < batches.size(b) && batches.size(b) <= most;
  if (many < 4 * team.threads()) most = block;
  std::vector<Index> small;
  for (Index b = 0; b < batches.count(); ++b) {
    const Index size = batches.size(b);
    if (size <= most) {
      if (size > 0) small.push_back(b);
      continue;
    }
    const auto map = BatchMap<T>::of(maps, b, size, d, k, team);
    team.run((size + block - 1) / block, [&](Index chunk, int worker) {
      const Index first = chunk * block;
      apply_map(x, batches.rows(b) + first, std::min(block, size - first), maps, basis, map, y,
                scratch[worker]);
    });
  }
  const Team alone(1, nullptr);
  team.run(static_cast<Index>(small.size()), [&](Index chunk, int worker) {
    const Index b = small[chunk], size = batches.size(b);
    const auto map = BatchMap<T>::of(maps, b, size, d, k, alone);
    for (Index first = 0; first < size; first += block)
      apply_map(x, batches.rows(b) + first, std::min(block, size - first), maps, basis, map, y,
                scratch[worker]);
  });
}

#define INSTANTIATE(T)                                                                    \
  template void unit_rows(View<const T>, View<T>, bool*, const Team&);                    \
  template void apply_affine(View<const T>, const Groups&, const AffineMaps<T>&, View<T>, \
                             const Team&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

#define INSTANTIATE(P)                                                                        \
  template void pair_cosines<P>(View<const Product<P>>, View<const Product<P>>, const Index*, \
                                const Index*, Index, Product<P>*, const Team&);
INSTANTIATE(float)
INSTANTIATE(double)
INSTANTIATE(Bfloat16Pair)
#undef INSTANTIATE

}  // namespace wellgram
