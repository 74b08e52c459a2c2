// A borrowed row-major matrix: pointer, shape and the distance between rows, in elements.
#pragma once

#include <cstdint>

namespace wellgram {

using Index = std::int64_t;

template <class T>
struct View {
  T* data;
  Index rows, columns, stride;

  T* row(Index i) const { return data + i * stride; }
};

}  // namespace wellgram
