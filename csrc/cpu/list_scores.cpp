// list_scores: average precision and ROC AUC of lists of scored positives and negatives.
//
// Every positive is compared with all of its list: levels * lists * positives * (positives +
// negatives) comparisons. A chunk is the lists of one draw of negatives.
#include <algorithm>
#include <limits>
#include <vector>

#include "cpu/primitives.hpp"

namespace wellgram {

namespace {

// How many values are not below one, and how many above it. A NaN is neither.
struct Beating {
  int at_least, above;
};
template <class T>
Beating beating(const std::vector<T>& values, T one) {
  Beating found{};
  for (const T value : values) {
    found.at_least += value >= one;
    found.above += value > one;
  }
  return found;
}

}  // namespace

template <class T>
void list_scores(View<const T> scores, const Index* positives, Index count,
                 View<const Index> negatives, View<double> precision, View<double> auc,
                 const Team& team) {
  constexpr Index together = 128;
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const auto score = [&](Index level, Index draw, std::vector<T>& high, std::vector<T>& low) {
    const T* of = scores.row(level);
    for (Index k = 0; k < count; ++k) high[k] = of[positives[k]];
    for (Index k = 0; k < negatives.columns; ++k) low[k] = of[negatives.row(draw)[k]];
    Index p = 0, n = 0;
    for (const T value : low) n += value == value;
    double sum = 0, beaten = 0;
    for (const T value : high) {
      if (value != value) continue;
      ++p;
      const double among = beating(high, value).at_least;
      const Beating others = beating(low, value);
      sum += among / (among + others.at_least);
      beaten += (others.at_least + others.above) / 2.0;
    }
    const bool none = p == 0 || n == 0;
    precision.row(level)[draw] = none ? nan : sum / static_cast<double>(p);
    auc.row(level)[draw] =
        none ? nan : 1 - beaten / static_cast<double>(p) / static_cast<double>(n);
  };
  team.run((negatives.rows + together - 1) / together, [&](Index chunk, int) {
    std::vector<T> high(count), low(negatives.columns);
    const Index last = std::min(negatives.rows, (chunk + 1) * together);
    for (Index draw = chunk * together; draw < last; ++draw)
      for (Index level = 0; level < scores.rows; ++level) score(level, draw, high, low);
  });
}

#define INSTANTIATE(T)                                                                           \
  template void list_scores(View<const T>, const Index*, Index, View<const Index>, View<double>, \
                            View<double>, const Team&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace wellgram
