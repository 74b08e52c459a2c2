// The cosines themselves, written to a matrix of the caller's; of a map against itself, both
// triangles. No two tiles write to one place.
#pragma once

#include "cpu/consumers/consumer.hpp"

namespace wellgram {

template <class T>
class MatrixConsumer : public Consumer<T> {
 public:
  explicit MatrixConsumer(const Matrix& recipe)
      : out_{static_cast<T*>(recipe.data), recipe.rows, recipe.columns, recipe.stride} {}
  std::unique_ptr<Consumer<T>> another() const override {
    return std::make_unique<MatrixConsumer>(*this);
  }
  void absorb(const Tile<T>& tile) override {
    for (Index i = 0; i < tile.rows; ++i) {
      T* row = out_.row(tile.row + i) + tile.column;
      for (Index j = 0; j < tile.columns; ++j)
        if (i < tile.above(j)) row[j] = tile.cells[j * tile.tall + i];
    }
    if (!tile.symmetric) return;
    for (Index j = 0; j < tile.columns; ++j)
      std::copy_n(tile.cells + j * tile.tall, tile.above(j), out_.row(tile.column + j) + tile.row);
  }
  void merge(Consumer<T>&) override {}
  State<T> state() override { return {}; }

 private:
  View<T> out_;
};

}  // namespace wellgram
