// Packing: the operands of gram_tile are panels, `width` vectors side by side, depth step by step:
// panel[k * width + w] = element k of vector w. Missing vectors of the last panel are zero.
#pragma once

#include <algorithm>

#include "common/view.hpp"
#include "cpu/buffer.hpp"
#include "cpu/team.hpp"

namespace wellgram {

inline Index panel_count(Index vectors, Index width) { return (vectors + width - 1) / width; }

// The panel of vectors [first, first + width); get(v, k) reads element k of vector v. By blocks of
// k, because vectors lie far apart: a line of one is read whole before that of the next.
template <class T, class Get>
void pack_panel(Index first, Index vectors, Index width, Index depth, T* panel, const Get& get) {
  constexpr Index block = 16;
  const Index present = std::min(width, vectors - first);
  for (Index begin = 0; begin < depth; begin += block) {
    const Index end = std::min(depth, begin + block);
    for (Index w = 0; w < present; ++w)
      for (Index k = begin; k < end; ++k) panel[k * width + w] = get(first + w, k);
    for (Index w = present; w < width; ++w)
      for (Index k = begin; k < end; ++k) panel[k * width + w] = T(0);
  }
}

// All vectors of a set, packed.
template <class T>
class Panels {
 public:
  template <class Get>
  Panels(Index vectors, Index width, Index depth, const Get& get, const Team& team)
      : width_(width),
        depth_(depth),
        count_(panel_count(vectors, width)),
        buffer_(count_ * width * depth) {
    team.run(count_,
             [&](Index p, int) { pack_panel(p * width, vectors, width, depth, (*this)[p], get); });
  }

  T* operator[](Index panel) const { return buffer_.data() + panel * width_ * depth_; }
  Index count() const { return count_; }
  Index depth() const { return depth_; }

 private:
  Index width_, depth_, count_;
  Buffer<T> buffer_;
};

}  // namespace wellgram
