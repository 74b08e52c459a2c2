// The pass over all pairs: its consumers, as the bindings name them, and the pass itself.
#pragma once

#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "common/view.hpp"
#include "cpu/kernels.hpp"
#include "cpu/team.hpp"

namespace wellgram {

// What is to be done with the cosines of a pass; each is defined in backends/consumers/.
struct CountBelow {
  std::vector<double> thresholds;
};
struct Histogram {
  double low, high;
  Index bins;
};
struct Bracket {
  double low, high;
  Index capacity;
};
struct Ranks {
  std::vector<double> values;                 // ascending, each once
  std::vector<std::pair<Index, Index>> kept;  // values whose slots, first to last, are kept
  Index capacity;
};
struct Nearest {
  Index most, least;
};
struct RowMoments {};
struct WithinGroups {
  std::vector<std::int32_t> rows, columns;  // codes; -1 for none
  Index groups;
};
struct Matrix {
  void* data;  // of the type of the cosines
  Index rows, columns, stride;
  std::size_t bytes;  // of a value
};
using Recipe =
    std::variant<CountBelow, Histogram, Bracket, Ranks, Nearest, RowMoments, WithinGroups, Matrix>;

// A merged state: integers, and cosines in no order of note.
template <class T>
struct State {
  std::vector<Index> counts;
  std::vector<T> values;
};

// The pairs of a pass: i < j of `rows` rows, or every one of `rows` with every one of `columns`.
struct Extent {
  Index rows, columns;
  bool symmetric;
};

template <class T>
class Consumer;
struct BlockPlan;
struct Chunk;

// A pass, made block by block. P is what rows are packed as: float, double or Bfloat16Pair.
template <class P>
class PairScan {
 public:
  using T = Product<P>;

  PairScan(const Extent& extent, const std::vector<Recipe>& recipes, int threads);
  ~PairScan();

  // Hands over the pairs of a block: rows x of the map from `row` on, with rows y from `column` on.
  void add(View<const T> x, View<const T> y, Index row, Index column, const Team& team);

  // What the consumers hold by now, those of all threads merged. Ends the pass.
  std::vector<State<T>> states(const Team& team);

 private:
  // Makes chunks of rows that are packed as Packed.
  template <class Packed>
  void make_chunks(const BlockPlan& plan, const std::vector<Chunk>& chunks, View<const T> x,
                   View<const T> y, const Team& team);

  Extent extent_;
  std::vector<std::vector<std::unique_ptr<Consumer<T>>>> consumers_;  // of each thread
};

}  // namespace wellgram
