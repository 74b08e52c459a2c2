// shuffled_places: the sets that NumPy's shuffle puts first, from the same draws.
//
// NumPy swaps place i with a random place up to it, for i from the last down, and draws that place
// by masking a word to the bits of i and trying again while it is above i (random_interval in
// distributions.c). So there are total draws a row, a third more words, and none may be left out;
// but the items need not be moved. Read from the last swap to the first, a set of places goes back
// to where its items came from: beyond the first k, place i takes the mark of the place drawn for
// it, which is seldom marked. Against swapping, that saves the row of items and its sorting.
#include "cpu/numpy_shuffle.hpp"

#include <bit>
#include <vector>

#include "cpu/marks.hpp"

namespace wellgram {

namespace {

// partner[i] for i from the last down to 1. Without a branch on what is drawn: a place drawn in
// vain is written over.
void draw_partners(const BitGenerator& generator, std::vector<std::uint32_t>& partner) {
  auto i = static_cast<std::uint32_t>(partner.size()) - 1;
  while (i > 0) {
    const std::uint32_t low = std::bit_floor(i), mask = low | (low - 1);
    while (i >= low) {
      const std::uint32_t place = generator.next_uint32(generator.state) & mask;
      partner[i] = place;
      i -= place <= i;
    }
  }
}

}  // namespace

void shuffled_places(const BitGenerator& generator, Index total, View<std::uint32_t> places) {
  const Index taken = places.columns;
  std::vector<std::uint32_t> partner(total);
  Marks marks(total);
  for (Index r = 0; r < places.rows; ++r) {
    draw_partners(generator, partner);
    marks.clear();
    for (Index i = 0; i < taken; ++i) marks.set(i);
    for (Index i = taken; i < total; ++i)
      if (marks.has(partner[i])) {
        marks.unset(partner[i]);
        marks.set(i);
      }
    std::uint32_t* place = places.row(r);
    marks.each([&](Index at) { *place++ = static_cast<std::uint32_t>(at); });
  }
}

}  // namespace wellgram
