// kind_distances: sums of the Euclidean distances of all pairs of rows of random sets of several
// kinds that share shuffles.
//
// The rows of a draw are packed once, segment after segment, about a centre. Distances are made in
// register tiles, 2 d flops a pair, for those pairs of segments alone that lie together in the set
// of some kind, each once; a kind adds the sums of its pairs of segments. Segments that meet about
// as many others lie side by side, so that few cells of a tile are of no use. Which tiles there
// are, and what of a tile goes to which sum, is the same for every draw and found once. A chunk is
// a draw.
//
// A squared distance is |x|^2 + |y|^2 - 2 x y in the type of the rows. Where much cancels, or the
// squares leave the range, the pair is taken from differences in float64.
#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

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

// Rows of the segment at a place.
struct Span {
  Index place, first, last;
};

// Pairs of segments as numbers, first * count + second.
class SegmentPairs {
 public:
  explicit SegmentPairs(Index segments) : segments_(segments) {}

  Index number(Index first, Index second) const { return first * segments_ + second; }
  Index first(Index number) const { return number / segments_; }
  Index second(Index number) const { return number % segments_; }

 private:
  Index segments_;
};

class DistancePlan {
 public:
  DistancePlan(const SetKinds& kinds, const Segments& segments, Index tall, Index wide)
      : kinds_(kinds), segments_(segments), numbering_(segments.count()) {
    place_.resize(segments.count());
    std::iota(place_.begin(), place_.end(), Index{0});
    find_pairs();
    order_segments();
    find_pairs();
    find_sums();
    find_rows();
    find_tiles(tall, wide);
  }

  Index rows() const { return static_cast<Index>(place_of_row_.size()); }
  Index pairs() const { return static_cast<Index>(pairs_.size()); }
  const std::vector<TilePlace>& tiles() const { return tiles_; }
  const std::vector<Cells>& cells() const { return cells_; }

  // The row that a segment begins at.
  Index first_row(Index segment) const { return first_row_[segment]; }

  // The pairs of segments of kind k.
  const Index* pairs_of(Index k) const { return pair_of_kind_.data() + starts_[k]; }
  Index pair_count(Index k) const { return starts_[k + 1] - starts_[k]; }

 private:
  // Hands the pairs of places of the segments of kind k to take(pair).
  template <class Take>
  void each_pair(Index k, const Take& take) const {
    std::vector<Index> places;
    for (Index p = kinds_.starts[k]; p < kinds_.starts[k + 1]; ++p)
      for (Index g = segments_.first(kinds_.stratum[p]); g <= segments_.of_part(p); ++g)
        places.push_back(place_[g]);
    std::sort(places.begin(), places.end());
    for (std::size_t a = 0; a < places.size(); ++a)
      for (std::size_t b = a; b < places.size(); ++b) take(numbering_.number(places[a], places[b]));
  }

  void find_pairs() {
    pairs_.clear();
    std::size_t compacted = 0;
    const auto compact = [&] {
      std::sort(pairs_.begin(), pairs_.end());
      pairs_.erase(std::unique(pairs_.begin(), pairs_.end()), pairs_.end());
      compacted = pairs_.size();
    };
    for (Index k = 0; k < kinds_.count(); ++k) {
      each_pair(k, [&](Index pair) { pairs_.push_back(pair); });
      if (pairs_.size() > compacted * 2 + 1024) compact();
    }
    compact();
  }

  // Those that meet most others first: their tiles are all of use.
  void order_segments() {
    std::vector<std::uint64_t> partners(place_.size());
    for (const Index pair : pairs_) {
      ++partners[numbering_.first(pair)];
      ++partners[numbering_.second(pair)];
    }
    std::vector<Index> order = place_;
    std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) {
      return std::bit_width(partners[a]) > std::bit_width(partners[b]);
    });
    for (std::size_t place = 0; place < order.size(); ++place)
      place_[order[place]] = static_cast<Index>(place);
  }

  void find_sums() {
    starts_.push_back(0);
    for (Index k = 0; k < kinds_.count(); ++k) {
      each_pair(k, [&](Index pair) { pair_of_kind_.push_back(find(pair)); });
      starts_.push_back(static_cast<Index>(pair_of_kind_.size()));
    }
  }

  void find_rows() {
    std::vector<Index> order(place_.size());
    for (std::size_t g = 0; g < place_.size(); ++g) order[place_[g]] = static_cast<Index>(g);
    first_row_.resize(place_.size());
    for (std::size_t place = 0; place < order.size(); ++place) {
      first_row_[order[place]] = rows();
      place_of_row_.insert(place_of_row_.end(), segments_.size(order[place]),
                           static_cast<Index>(place));
    }
  }

  // Where a pair is among all, or -1 where no kind has both.
  Index find(Index pair) const {
    const auto at = std::lower_bound(pairs_.begin(), pairs_.end(), pair);
    return at != pairs_.end() && *at == pair ? at - pairs_.begin() : -1;
  }

  // The segments that rows [first, last) are of.
  std::vector<Span> spans(Index first, Index last) const {
    std::vector<Span> found;
    for (Index i = first; i < last; ++i)
      if (found.empty() || found.back().place != place_of_row_[i])
        found.push_back({place_of_row_[i], i, i + 1});
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
            const bool same = row.place == column.place;
            if (row.place > column.place || (same && row.first >= column.last)) continue;
            const Index pair = find(numbering_.number(row.place, column.place));
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
  SegmentPairs numbering_;
  std::vector<Index> place_, first_row_, place_of_row_, pairs_, pair_of_kind_, starts_;
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

  void draw(View<const T> x, const SetKinds& kinds, const Segments& segments,
            const DistancePlan& plan, const double* centre, std::uint64_t seed, Index index) {
    for (Index s = 0; s < static_cast<Index>(kinds.strata.size()); ++s) {
      if (segments.drawn(s) == 0) continue;
      of_stratum.resize(segments.drawn(s));
      shuffles.draw(s, seed, index, of_stratum);
      for (Index g = segments.first(s); g < segments.last(s); ++g)
        std::copy_n(of_stratum.begin() + segments.begin(g), segments.size(g),
                    rows.begin() + plan.first_row(g));
    }
    const Index tall = kernels<T>().tile_rows, wide = kernels<T>().tile_columns, d = x.columns;
    const auto count = static_cast<Index>(rows.size());
    std::fill(squares.begin(), squares.end(), T(0));
    // Some rows at a time, which lie in cache while they are packed for either side.
    const Index together = std::lcm(tall, wide);
    centred.resize(together * d);
    for (Index first = 0; first < count; first += together) {
      const Index last = std::min(count, first + together);
      for (Index i = first; i < last; ++i) {
        const T* row = x.row(rows[i]);
        T* out = centred.data() + (i - first) * d;
        for (Index k = 0; k < d; ++k)
          out[k] = static_cast<T>(static_cast<double>(row[k]) - centre[k]);
        squares[i] = static_cast<T>(kernels<T>().sum_of_squares(out, d));
      }
      const auto value = [&](Index i, Index k) { return centred[(i - first) * d + k]; };
      for (Index i = first; i < last; i += tall)
        pack_panel(i, count, tall, d, left.data() + i * d, value);
      for (Index i = first; i < last; i += wide)
        pack_panel(i, count, wide, d, right.data() + i * d, value);
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

  team.run_reported(sums.columns, [&](Index draw, int thread) {
    constexpr Index tiles_a_look = 256;
    Worker<T>& worker = workers[thread];
    worker.draw(x, kinds, segments, plan, centre, seed, first + draw);
    std::fill(worker.sums.begin(), worker.sums.end(), 0.0);
    alignas(64) T tile[max_tile];
    for (std::size_t t = 0; t < plan.tiles().size(); ++t) {
      if (t % tiles_a_look == 0) team.look(thread);
      const TilePlace& place = plan.tiles()[t];
      products<T>().gram_tile(worker.left.data() + place.left * tall * d,
                              worker.right.data() + place.right * wide * d, d, tile, nullptr);
      const T* squares = worker.squares.data();
      if (!kernels<T>().to_distances(tile, squares + place.left * tall,
                                     squares + place.right * wide))
        worker.mend(x, place, tile);
      for (Index c = place.cells; c < place.last_cells; ++c) {
        const Cells& cells = plan.cells()[c];
        double sum = 0;
        if (!cells.crosses)
          sum = kernels<T>().sum_cells(tile, cells.row, cells.last_row, cells.column,
                                       cells.last_column);
        for (Index j = cells.column; cells.crosses && j < cells.last_column; ++j)
          sum += kernels<T>().sum_cells(
              tile, cells.row, std::min(cells.last_row, place.right * wide + j - place.left * tall),
              j, j + 1);
        worker.sums[cells.pair] += sum;
      }
    }
    for (Index k = 0; k < kinds.count(); ++k) {
      double sum = 0;
      for (Index p = 0; p < plan.pair_count(k); ++p) sum += worker.sums[plan.pairs_of(k)[p]];
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
