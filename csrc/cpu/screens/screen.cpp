// screen_chunks: tiles of a screen, sifted by consumers; then the doubtful cells of the chunk, row
// by row.
//
// n m d products of low precision, a packed copy of either side's rows in half the memory of
// float32, and a chain of d steps for each cell that is in doubt.
#include "cpu/screens/screen.hpp"

#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <utility>

#include "cpu/screens/choice.hpp"
#include "cpu/screens/exact_cells.hpp"

namespace wellgram {

namespace {

// A chain of one pair takes as long as about ten cells of a float32 tile, and a screen saves half
// of one: with more cells in doubt a pass takes longer than without it.
constexpr double doubts_that_pay = 1.0 / 20;

// A block of left panels, which each thread packs for itself when it comes to another.
class LeftBlock {
 public:
  LeftBlock(const TileMaker& maker, Index most)
      : maker_(maker), panels_(most, maker.left_bytes()) {}

  void pack(const Chunk& chunk, const ScreenedRows& x) {
    if (std::exchange(first_, chunk.left) == chunk.left) return;
    const Index tall = maker_.tall();
    for (Index p = chunk.left; p < chunk.last_left; ++p)
      panels_.extent(p - first_) =
          maker_.pack_left(rows_.take(x, std::min(tall, x.rows.rows - p * tall),
                                      [&](Index r) { return p * tall + r; }),
                           panels_[p - first_]);
  }

  const std::byte* operator[](Index p) const { return panels_[p - first_]; }
  const PanelExtent& extent(Index p) const { return panels_.extent(p - first_); }

 private:
  const TileMaker& maker_;
  ScreenedPanels panels_;
  PanelRows rows_;
  Index first_ = -1;
};

// Cells that a consumer could not decide, as places in x and in y.
class Doubts {
 public:
  void add(Index i, Index j, std::size_t consumer) {
    doubts_.push_back({static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(j),
                       static_cast<std::uint32_t>(consumer)});
  }
  Index count() const { return std::ssize(doubts_); }

  // Decides them. By rows, so that a row is read once for all of its cells.
  void decide(const ExactCells& exact, Consumers& consumers) {
    sort_by_row();
    look_closer(exact, consumers);
    constexpr std::size_t batch = 512;
    Index i[batch], j[batch];
    float cosines[batch];
    for (std::size_t first = 0; first < doubts_.size(); first += batch) {
      const std::size_t count = std::min(batch, doubts_.size() - first);
      for (std::size_t k = 0; k < count; ++k) {
        i[k] = doubts_[first + k].i;
        j[k] = doubts_[first + k].j;
      }
      exact.cosines(i, j, static_cast<Index>(count), cosines);
      for (std::size_t k = 0; k < count; ++k)
        consumers[doubts_[first + k].consumer]->decide(cosines[k]);
    }
    doubts_.clear();
  }

 private:
  // By counting: the rows of a chunk are few, and each came with its columns in order.
  void sort_by_row() {
    if (doubts_.empty()) return;
    const auto [first, last] = std::minmax_element(
        doubts_.begin(), doubts_.end(), [](const Doubt& a, const Doubt& b) { return a.i < b.i; });
    const std::uint32_t least = first->i;
    places_.assign(last->i - least + 2, 0);
    for (const Doubt& doubt : doubts_) ++places_[doubt.i - least + 1];
    for (std::size_t r = 1; r < places_.size(); ++r) places_[r] += places_[r - 1];
    sorted_.resize(doubts_.size());
    for (const Doubt& doubt : doubts_) sorted_[places_[doubt.i - least]++] = doubt;
    doubts_.swap(sorted_);
  }

  // Sums of float32 in another order than the chain's are quicker, and settle most.
  void look_closer(const ExactCells& exact, Consumers& consumers) {
    const auto settled = [&](const Doubt& doubt) {
      auto& consumer = *consumers[doubt.consumer];
      return consumer.looks_closer() &&
             consumer.decide_near(exact.quick_cosine(doubt.i, doubt.j), exact.quick_bound);
    };
    std::erase_if(doubts_, settled);
  }

  struct Doubt {
    std::uint32_t i, j, consumer;
  };
  std::vector<Doubt> doubts_, sorted_;
  std::vector<Index> places_;
};

// Marks the cells that are no pairs of the pass.
void mark_no_pairs(const BlockPlan& plan, Index p, Index q, float* cells) {
  const Index row = p * plan.tall, column = q * plan.wide;
  const Index rows = std::min(plan.tall, plan.rows - row);
  for (Index j = 0; j < plan.wide; ++j) {
    Index above = column + j < plan.columns ? rows : 0;
    if (plan.symmetric)
      above = std::clamp<Index>(plan.column + column + j - plan.row - row, 0, above);
    std::fill(cells + j * plan.tall + above, cells + (j + 1) * plan.tall,
              std::numeric_limits<float>::quiet_NaN());
  }
}

// Chunks spread evenly over all, to learn how much is in doubt.
std::vector<Chunk> spread_out(const std::vector<Chunk>& chunks, std::size_t count) {
  std::vector<Chunk> picked;
  for (std::size_t k = 0; k < count; ++k) picked.push_back(chunks[k * chunks.size() / count]);
  return picked;
}

std::vector<Chunk> others(const std::vector<Chunk>& chunks, std::size_t count) {
  std::vector<Chunk> rest;
  for (std::size_t c = 0, k = 0; c < chunks.size(); ++c)
    if (k < count && c == k * chunks.size() / count)
      ++k;
    else
      rest.push_back(chunks[c]);
  return rest;
}

// What a thread has of its own.
struct Worker {
  Worker(const TileMaker& maker, Index most_lefts, Index most_panels)
      : lefts(maker, most_lefts),
        cells(most_panels * maker.tall() * maker.wide()),
        scratch(maker.scratch_bytes(most_panels)) {}

  LeftBlock lefts;
  Buffer<float> cells;
  Buffer<std::byte> scratch;
  Doubts doubts;
};

// Calls each(left panel, right panel, cells, bound) for the tiles of a chunk that hold pairs. Right
// panels are those of the plan, of which one of the screen's holds some.
template <class Each, class Look>
void over_screened_tiles(const TileMaker& maker, const BlockPlan& plan, const Chunk& chunk,
                         const ScreenedPanels& rights, Index roundings, Worker& worker,
                         const Each& each, const Look& look) {
  constexpr Index panels_a_look = 16;
  const Index tiles = maker.wide() / plan.wide, tile_size = plan.tall * plan.wide;
  const Index end = panel_count(chunk.last_right, tiles);
  for (Index strip = chunk.right / tiles; strip < end; strip += maker.at_once()) {
    const Index last = std::min(end, strip + maker.at_once());
    for (Index p = chunk.left; p < chunk.last_left; ++p) {
      if ((p - chunk.left) % panels_a_look == 0) look();
      Index first = strip;
      while (first < last && !plan.has_pairs(p * plan.tall, (first + 1) * maker.wide())) ++first;
      if (first == last) continue;
      maker.multiply(worker.lefts[p], worker.lefts.extent(p), rights, first, last - first,
                     worker.scratch.data(), worker.cells.data());
      for (Index s = first; s < last; ++s) {
        const double bound = screen_bound(worker.lefts.extent(p), rights.extent(s), roundings,
                                          maker.sum_roundings());
        float* cells = worker.cells.data() + (s - first) * tiles * tile_size;
        const Index last_tile = std::min(chunk.last_right, (s + 1) * tiles);
        for (Index q = s * tiles; q < last_tile; ++q, cells += tile_size)
          if (plan.has_pairs(p * plan.tall, (q + 1) * plan.wide)) each(p, q, cells, bound);
      }
    }
  }
}

}  // namespace

std::vector<std::unique_ptr<TileMaker>> screens_of_block(const BlockPlan& plan, Index features,
                                                         bool bfloat16,
                                                         const Consumers& consumers) {
  for (const auto& consumer : consumers)
    if (!consumer->decides()) return {};
  if (consumers.empty()) return {};
  return screens_for(plan.rows, plan.columns, features, bfloat16);
}

std::vector<Chunk> screen_chunks(const TileMaker& maker, const BlockPlan& plan,
                                 const std::vector<Chunk>& chunks, const ScreenedRows& x,
                                 const ScreenedRows& y, std::vector<Consumers>& consumers,
                                 const Team& team) {
  const bool same = x.rows.data == y.rows.data && x.rows.rows == y.rows.rows;
  const double x_length = x.longest(team);
  const double y_length = same ? x_length : y.longest(team);
  if (x_length > most_length || y_length > most_length) return chunks;
  const Index features = x.rows.columns;
  ScreenedPanels rights(panel_count(y.rows.rows, maker.wide()), maker.right_bytes());
  rights.pack_right(maker, y, y.rows.rows, [](Index r) { return r; }, team);
  Index most_lefts = 0;
  for (const Chunk& chunk : chunks) most_lefts = std::max(most_lefts, chunk.last_left - chunk.left);
  std::vector<Worker> workers;
  workers.reserve(team.threads());
  for (int worker = 0; worker < team.threads(); ++worker)
    workers.emplace_back(maker, most_lefts, maker.at_once());
  const Index additions = current_set().screen.dot_additions(features);
  const ExactCells exact{x,
                         y,
                         plan.row,
                         plan.column,
                         plan.symmetric,
                         reordered_bound(x.roundings(), additions, x_length, y_length)};
  for (auto& consumer : consumers[0]) consumer->open_screen(exact);
  std::atomic<Index> in_doubt = 0, met = 0;

  const auto screen = [&](const Chunk& chunk, int worker) {
    std::uint16_t doubtful[max_tile];
    const Block block = plan.block(chunk);
    for (auto& consumer : consumers[worker]) consumer->begin(block);
    Doubts& doubts = workers[worker].doubts;
    workers[worker].lefts.pack(chunk, x);
    Index tiles = 0;
    over_screened_tiles(
        maker, plan, chunk, rights, x.roundings(), workers[worker],
        [&](Index p, Index q, float* cells, double bound) {
          const Index row = p * plan.tall, column = q * plan.wide;
          if (row + plan.tall > plan.rows || column + plan.wide > plan.columns ||
              (plan.symmetric && plan.column + column < plan.row + row + plan.tall))
            mark_no_pairs(plan, p, q, cells);
          const ScreenedTile tile{
              cells,          plan.tall, plan.wide, plan.row + row, plan.column + column,
              plan.symmetric, bound};
          for (std::size_t c = 0; c < consumers[worker].size(); ++c) {
            const Index count = consumers[worker][c]->sift(tile, doubtful);
            for (Index f = 0; f < count; ++f)
              doubts.add(row + doubtful[f] % plan.tall, column + doubtful[f] / plan.tall, c);
          }
          ++tiles;
        },
        [&] { team.look(worker); });
    met += tiles * plan.tall * plan.wide;
    in_doubt += doubts.count();
    doubts.decide(exact, consumers[worker]);
  };

  const std::size_t pilots = std::min<std::size_t>(chunks.size(), 2 * team.threads());
  const std::vector<Chunk> pilot = spread_out(chunks, pilots);
  std::vector<Chunk> rest = others(chunks, pilots);
  team.run(std::ssize(pilot), [&](Index c, int worker) { screen(pilot[c], worker); });
  const bool pays = screen_is_chosen() ||
                    static_cast<double>(in_doubt) < doubts_that_pay * static_cast<double>(met);
  if (pays) {
    team.run_reported(std::ssize(rest), [&](Index c, int worker) { screen(rest[c], worker); });
    rest.clear();
  }
  for (auto& consumer : consumers[0]) consumer->close_screen(team);
  team.run(std::ssize(consumers), [&](Index worker, int) {
    for (auto& consumer : consumers[worker]) consumer->settle();
  });
  return rest;
}

void screened_cosines(const ScreenedRows& x, const ScreenedRows& y, View<float> cosines,
                      View<double> bounds, const Team& team) {
  const auto makers = screens_for(x.rows.rows, y.rows.rows, x.rows.columns, x.bfloat16);
  if (makers.empty()) throw std::invalid_argument("there is no screen in use");
  const auto& maker = makers.front();
  const Index rows = x.rows.rows, columns = y.rows.rows, tall = maker->tall(), wide = maker->wide();
  ScreenedPanels lefts(panel_count(rows, tall), maker->left_bytes());
  ScreenedPanels rights(panel_count(columns, wide), maker->right_bytes());
  lefts.pack_left(*maker, x, rows, [](Index r) { return r; }, team);
  rights.pack_right(*maker, y, columns, [](Index r) { return r; }, team);
  Buffer<float> cells(tall * wide);
  Buffer<std::byte> scratch(maker->scratch_bytes(1));
  for (Index p = 0; p < panel_count(rows, tall); ++p)
    for (Index q = 0; q < panel_count(columns, wide); ++q) {
      maker->multiply(lefts[p], lefts.extent(p), rights, q, 1, scratch.data(), cells.data());
      const double bound =
          screen_bound(lefts.extent(p), rights.extent(q), x.roundings(), maker->sum_roundings());
      for (Index j = 0; j < std::min(wide, columns - q * wide); ++j)
        for (Index i = 0; i < std::min(tall, rows - p * tall); ++i) {
          cosines.row(p * tall + i)[q * wide + j] = cells.data()[j * tall + i];
          bounds.row(p * tall + i)[q * wide + j] = bound;
        }
    }
}

double screen_bound_factor = 1;
void scale_screen_bounds(double factor) { screen_bound_factor = factor; }

}  // namespace wellgram
