// screen_chunks: int16 tiles, sifted by consumers; then the doubtful cells of the chunk, row by
// row.
//
// n m d products of 16 bits, a packed copy of either side's rows in half the memory of float32, and
// a chain of d steps for each cell that is in doubt.
#include "cpu/screens/screen.hpp"

#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "cpu/screens/exact_cells.hpp"
#include "cpu/screens/int16_panels.hpp"

namespace wellgram {

namespace {

enum class Choice : std::uint8_t { automatic, none, int16 };
Choice choice = Choice::automatic;

// A chain of one pair takes as long as about ten cells of a float32 tile, and a screen saves half
// of one: with more cells in doubt a pass takes longer than without it.
constexpr double doubts_that_pay = 1.0 / 20;

// A block of left panels, which each thread packs for itself when it comes to another.
class LeftBlock {
 public:
  LeftBlock(Index features, Index tall, Index most)
      : packer_(features, tall), panels_(most * packer_.panel_size()), extents_(most) {}

  void pack(const Chunk& chunk, View<const float> x, Index tall) {
    if (std::exchange(first_, chunk.left) == chunk.left) return;
    for (Index p = chunk.left; p < chunk.last_left; ++p)
      extents_[p - chunk.left] = packer_.pack(
          std::min(tall, x.rows - p * tall), [&](Index r) { return x.row(p * tall + r); },
          panels_.data() + (p - chunk.left) * packer_.panel_size());
  }

  const Int16Pair* operator[](Index p) const { return panels_.data() + p * packer_.panel_size(); }
  const PanelExtent& extent(Index p) const { return extents_[p]; }

 private:
  Int16Packer packer_;
  Buffer<Int16Pair> panels_;
  std::vector<PanelExtent> extents_;
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
    std::sort(doubts_.begin(), doubts_.end(),
              [](const Doubt& a, const Doubt& b) { return a.i != b.i ? a.i < b.i : a.j < b.j; });
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

}  // namespace

bool use_screen(const char* name) {
  const std::pair<const char*, Choice> choices[] = {
      {"automatic", Choice::automatic}, {"none", Choice::none}, {"int16", Choice::int16}};
  for (const auto& [known, wanted] : choices)
    if (std::strcmp(known, name) == 0) {
      choice = wanted;
      return true;
    }
  return false;
}

const char* screen_name() {
  const bool pays = choice == Choice::automatic && current_set().screen.pays;
  return pays || choice == Choice::int16 ? "int16" : "none";
}

bool screen_is_chosen() { return choice != Choice::automatic; }

// With fewer features a tile is made so soon that sifting it takes the time that was saved.
bool screen_serves(Index rows, Index columns, Index features) {
  constexpr Index least_features = 64;
  constexpr double least_products = 1e8;
  if (choice != Choice::automatic) return choice != Choice::none;
  const double products =
      static_cast<double>(rows) * static_cast<double>(columns) * static_cast<double>(features);
  return current_set().screen.pays && features >= least_features && products >= least_products;
}

bool is_screened(const BlockPlan& plan, Index features, const Consumers& consumers) {
  for (const auto& consumer : consumers)
    if (!consumer->decides()) return false;
  return !consumers.empty() && screen_serves(plan.rows, plan.columns, features);
}

std::vector<Chunk> screen_chunks(const BlockPlan& plan, const std::vector<Chunk>& chunks,
                                 View<const float> x, View<const float> y,
                                 std::vector<Consumers>& consumers, const Team& team) {
  const bool same = x.data == y.data && x.rows == y.rows;
  const double x_length = longest_row(x, team);
  const double y_length = same ? x_length : longest_row(y, team);
  if (x_length > most_length || y_length > most_length) return chunks;
  const Index features = x.columns;
  const Int16Panels rights(y.rows, plan.wide, features, [&](Index r) { return y.row(r); }, team);
  Index most_lefts = 0;
  for (const Chunk& chunk : chunks) most_lefts = std::max(most_lefts, chunk.last_left - chunk.left);
  std::vector<LeftBlock> blocks;
  for (int worker = 0; worker < team.threads(); ++worker)
    blocks.emplace_back(features, plan.tall, most_lefts);
  const Index additions = current_set().screen.dot_additions(features);
  const ExactCells exact{x,
                         y,
                         plan.row,
                         plan.column,
                         plan.symmetric,
                         reordered_bound(features, additions, x_length, y_length)};
  for (auto& consumer : consumers[0]) consumer->open_screen(exact);
  std::vector<Doubts> doubts(team.threads());
  std::atomic<Index> in_doubt = 0, met = 0;

  const auto screen = [&](const Chunk& chunk, int worker) {
    alignas(64) float cells[max_tile];
    std::uint16_t doubtful[max_tile];
    const Block block = plan.block(chunk);
    for (auto& consumer : consumers[worker]) consumer->begin(block);
    LeftBlock& lefts = blocks[worker];
    lefts.pack(chunk, x, plan.tall);
    Index tiles = 0;
    plan.over_tiles(
        chunk,
        [&](Index p, Index q) {
          const Index place = p - chunk.left;
          const double bound = make_int16_tile(lefts[place], lefts.extent(place), rights[q],
                                               rights.extent(q), features, cells);
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
              doubts[worker].add(row + doubtful[f] % plan.tall, column + doubtful[f] / plan.tall,
                                 c);
          }
          ++tiles;
        },
        [&] { team.look(worker); });
    met += tiles * plan.tall * plan.wide;
    in_doubt += doubts[worker].count();
    doubts[worker].decide(exact, consumers[worker]);
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

void screened_cosines(View<const float> x, View<const float> y, View<float> cosines,
                      View<double> bounds, const Team& team) {
  const Index tall = kernels<float>().tile_rows, wide = kernels<float>().tile_columns;
  const Int16Tiles tiles(
      x.rows, tall, [&](Index r) { return x.row(r); }, y.rows, wide,
      [&](Index r) { return y.row(r); }, x.columns, team);
  alignas(64) float cells[max_tile];
  for (Index p = 0; p < panel_count(x.rows, tall); ++p)
    for (Index q = 0; q < panel_count(y.rows, wide); ++q) {
      const double bound = tiles.make(p, q, cells);
      for (Index j = 0; j < std::min(wide, y.rows - q * wide); ++j)
        for (Index i = 0; i < std::min(tall, x.rows - p * tall); ++i) {
          cosines.row(p * tall + i)[q * wide + j] = cells[j * tall + i];
          bounds.row(p * tall + i)[q * wide + j] = bound;
        }
    }
}

double screen_bound_factor = 1;
void scale_screen_bounds(double factor) { screen_bound_factor = factor; }

}  // namespace wellgram
