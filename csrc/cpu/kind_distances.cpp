// kind_distances: sums of the Euclidean distances of all pairs of rows of random sets of several
// kinds that share shuffles.
//
// The rows of a draw are packed once, segment after segment, about a centre. Distances are made in
// register tiles, 2 d flops a pair, for those pairs of segments alone that lie together in the set
// of some kind, each once; a kind adds the sums of its pairs of segments. Which tiles there are,
// and what of a tile goes to which sum, is the same for every draw and found once. A chunk is a
// draw.
//
// A squared distance is |x|^2 + |y|^2 - 2 x y in the type of the rows. Where much cancels, or the
// squares leave the range, the pair is taken from differences in float64.
#include <algorithm>
#include <cmath>

#include "cpu/apart.hpp"
#include "cpu/buffer.hpp"
#include "cpu/kernels.hpp"
#include "cpu/panels.hpp"
#include "cpu/set_kinds.hpp"

namespace wellgram {

namespace {

// The cells of a tile whose sum is that of a pair of segments.
struct Cells {
  Index row, last_row, column, last_column;
  Index pair;
  bool crosses;  // whether they are rows of one segment: then only those above the diagonal count
};

struct TilePlace {
  Index left, right, cells, last_cells;
};

struct Span {
  Index segment, first, last;
};

class DistancePlan {
 public:
  DistancePlan(const SetKinds& kinds, const Segments& segments, Index tall, Index wide)
      : kinds_(kinds), segments_(segments) {
    for (Index s = 0; s < static_cast<Index>(kinds.strata.size()); ++s) {
      Index from = 0;
      for (Index g = segments.first(s); g < segments.last(s); from = segments.end(g++))
        for (Index i = from; i < segments.end(g); ++i) segment_of_row_.push_back(g);
    }
    find_pairs();
    find_tiles(tall, wide);
  }

  Index rows() const { return static_cast<Index>(segment_of_row_.size()); }
  Index pairs() const { return static_cast<Index>(pairs_.size()); }
  const std::vector<TilePlace>& tiles() const { return tiles_; }
  const std::vector<Cells>& cells() const { return cells_; }

  // The pairs of segments of kind k.
  const Index* pairs_of(Index k) const { return pair_of_kind_.data() + starts_[k]; }
  Index pair_count(Index k) const { return starts_[k + 1] - starts_[k]; }

 private:
  void find_pairs() {
    std::vector<Index> own;
    const auto each_pair = [&](Index k, const auto& take) {
      own.clear();
      for (Index p = kinds_.starts[k]; p < kinds_.starts[k + 1]; ++p)
        for (Index g = segments_.first(kinds_.stratum[p]); g <= segments_.of_part(p); ++g)
          own.push_back(g);
      std::sort(own.begin(), own.end());
      for (std::size_t a = 0; a < own.size(); ++a)
        for (std::size_t b = a; b < own.size(); ++b) take(own[a] * segments_.count() + own[b]);
    };
    for (Index k = 0; k < kinds_.count(); ++k) {
      each_pair(k, [&](Index pair) { pairs_.push_back(pair); });
      if (pairs_.size() > compacted_ * 2 + 1024) compact();
    }
    compact();
    starts_.push_back(0);
    for (Index k = 0; k < kinds_.count(); ++k) {
      each_pair(k, [&](Index pair) { pair_of_kind_.push_back(number(pair)); });
      starts_.push_back(static_cast<Index>(pair_of_kind_.size()));
    }
  }

  void compact() {
    std::sort(pairs_.begin(), pairs_.end());
    pairs_.erase(std::unique(pairs_.begin(), pairs_.end()), pairs_.end());
    compacted_ = pairs_.size();
  }

  // The number of a pair of segments, or -1 where no kind has both.
  Index number(Index pair) const {
    const auto at = std::lower_bound(pairs_.begin(), pairs_.end(), pair);
    return at != pairs_.end() && *at == pair ? at - pairs_.begin() : -1;
  }

  // The segments that rows [first, last) are of.
  std::vector<Span> spans(Index first, Index last) const {
    std::vector<Span> found;
    for (Index i = first; i < last; ++i)
      if (found.empty() || found.back().segment != segment_of_row_[i])
        found.push_back({segment_of_row_[i], i, i + 1});
      else
        found.back().last = i + 1;
    return found;
  }

  void find_tiles(Index tall, Index wide) {
    for (Index p = 0; p * tall < rows(); ++p) {
      const auto left = spans(p * tall, std::min(rows(), (p + 1) * tall));
      for (Index q = p * tall / wide; q * wide < rows(); ++q) {
        const auto begin = static_cast<Index>(cells_.size());
        for (const Span& row : left)
          for (const Span& column : spans(q * wide, std::min(rows(), (q + 1) * wide))) {
            const bool same = row.segment == column.segment;
            if (row.segment > column.segment || (same && row.first >= column.last)) continue;
            const Index pair = number(row.segment * segments_.count() + column.segment);
            if (pair < 0) continue;
            cells_.push_back({row.first - p * tall, row.last - p * tall, column.first - q * wide,
                              column.last - q * wide, pair, same && row.last > column.first});
          }
        if (static_cast<Index>(cells_.size()) > begin)
          tiles_.push_back({p, q, begin, static_cast<Index>(cells_.size())});
      }
    }
  }

  const SetKinds& kinds_;
  const Segments& segments_;
  std::vector<Index> segment_of_row_, pairs_, pair_of_kind_, starts_;
  std::size_t compacted_ = 0;
  std::vector<TilePlace> tiles_;
  std::vector<Cells> cells_;
};

template <class T>
struct Worker {
  Worker(const SetKinds& kinds, const Segments& segments, const DistancePlan& plan, Index d)
      : shuffles(kinds, segments),
        rows(plan.rows()),
        left(panel_count(plan.rows(), kernels<T>().tile_rows) * kernels<T>().tile_rows * d),
        right(panel_count(plan.rows(), kernels<T>().tile_columns) * kernels<T>().tile_columns * d),
        squares(plan.rows() + max_tile),
        sums(plan.pairs()) {}

  void draw(View<const T> x, const SetKinds& kinds, const Segments& segments, const double* centre,
            std::uint64_t seed, Index index) {
    Index at = 0;
    for (Index s = 0; s < static_cast<Index>(kinds.strata.size()); ++s) {
      if (segments.drawn(s) == 0) continue;
      of_stratum.resize(segments.drawn(s));
      shuffles.draw(s, seed, index, of_stratum);
      std::copy(of_stratum.begin(), of_stratum.end(), rows.begin() + at);
      at += segments.drawn(s);
    }
    const Index tall = kernels<T>().tile_rows, wide = kernels<T>().tile_columns, d = x.columns;
    const auto count = static_cast<Index>(rows.size());
    std::fill(squares.begin(), squares.end(), T(0));
    centred.resize(d);
    for (Index i = 0; i < count; ++i) {
      const T* row = x.row(rows[i]);
      T* to_left = left.data() + i / tall * tall * d + i % tall;
      T* to_right = right.data() + i / wide * wide * d + i % wide;
      for (Index k = 0; k < d; ++k) {
        const T value = static_cast<T>(static_cast<double>(row[k]) - centre[k]);
        to_left[k * tall] = to_right[k * wide] = centred[k] = value;
      }
      squares[i] = static_cast<T>(kernels<T>().sum_of_squares(centred.data(), d));
    }
  }

  // Takes from differences what a tile has not kept.
  void mend(View<const T> x, const TilePlace& place, T* tile) const {
    const Index tall = kernels<T>().tile_rows, wide = kernels<T>().tile_columns;
    const auto count = static_cast<Index>(rows.size());
    for (Index j = 0; j < std::min(wide, count - place.right * wide); ++j)
      for (Index i = 0; i < std::min(tall, count - place.left * tall); ++i) {
        T& distance = tile[j * tall + i];
        if (distance < 0)
          distance = static_cast<T>(apart(x.row(rows[place.left * tall + i]),
                                          x.row(rows[place.right * wide + j]), x.columns));
      }
  }

  StratumShuffles shuffles;
  std::vector<Index> rows, of_stratum;
  Buffer<T> left, right;
  std::vector<T> squares, centred;
  std::vector<double> sums;
};

}  // namespace

template <class T>
void kind_distances(View<const T> x, const SetKinds& kinds, const double* centre,
                    std::uint64_t seed, Index first, View<double> sums, const Team& team) {
  const Index tall = kernels<T>().tile_rows, wide = kernels<T>().tile_columns, d = x.columns;
  const Segments segments(kinds);
  const DistancePlan plan(kinds, segments, tall, wide);
  std::vector<Worker<T>> workers;
  for (int w = 0; w < team.threads(); ++w) workers.emplace_back(kinds, segments, plan, d);

  team.run_reported(sums.columns, [&](Index draw, int worker) {
    constexpr Index tiles_a_look = 256;
    Worker<T>& own = workers[worker];
    own.draw(x, kinds, segments, centre, seed, first + draw);
    std::fill(own.sums.begin(), own.sums.end(), 0.0);
    alignas(64) T tile[max_tile];
    for (std::size_t t = 0; t < plan.tiles().size(); ++t) {
      if (t % tiles_a_look == 0) team.look(worker);
      const TilePlace& place = plan.tiles()[t];
      products<T>().gram_tile(own.left.data() + place.left * tall * d,
                              own.right.data() + place.right * wide * d, d, tile, nullptr);
      const T* squares = own.squares.data();
      if (!kernels<T>().to_distances(tile, squares + place.left * tall,
                                     squares + place.right * wide))
        own.mend(x, place, tile);
      for (Index c = place.cells; c < place.last_cells; ++c) {
        const Cells& cells = plan.cells()[c];
        double sum = 0;
        for (Index j = cells.column; j < cells.last_column; ++j) {
          const Index of_column = place.right * wide + j;
          const Index stop = cells.crosses ? std::min(cells.last_row, of_column - place.left * tall)
                                           : cells.last_row;
          for (Index i = cells.row; i < stop; ++i) sum += static_cast<double>(tile[j * tall + i]);
        }
        own.sums[cells.pair] += sum;
      }
    }
    for (Index k = 0; k < kinds.count(); ++k) {
      double sum = 0;
      for (Index p = 0; p < plan.pair_count(k); ++p) sum += own.sums[plan.pairs_of(k)[p]];
      sums.row(k)[draw] = sum;
    }
  });
}

#define INSTANTIATE(T)                                                                       \
  template void kind_distances(View<const T>, const SetKinds&, const double*, std::uint64_t, \
                               Index, View<double>, const Team&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace wellgram
