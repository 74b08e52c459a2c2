// A screen of rows rounded to bfloat16: one product, a wide bound. For the few nearest of many
// rows, which most cells are far from.
#include "common/bfloat16.hpp"
#include "cpu/bfloat16_products.hpp"
#include "cpu/screens/tile_maker.hpp"

namespace wellgram {

namespace {

class Bfloat16Tiles final : public TileMaker {
 public:
  Bfloat16Tiles(const Bfloat16Products& products, Index features)
      : products_(products),
        features_(features),
        steps_(panel_count(features, products.left.features)) {}

  Index tall() const override { return products_.left.vectors; }
  Index wide() const override { return products_.right.vectors * products_.units_of_a_panel; }
  Index left_bytes() const override { return 2 * unit_size(products_.left); }
  Index right_bytes() const override {
    return 2 * products_.units_of_a_panel * unit_size(products_.right);
  }

  Index at_once() const override { return strip_panels(right_bytes(), wide()); }
  Index scratch_bytes(Index) const override { return 0; }

  // How a unit adds up is not documented: 32 products of a step in any order, and the steps, each
  // addition rounded to either neighbour.
  Index sum_roundings() const override { return 2 * (products_.left.features + steps_) + 16; }

  PanelExtent pack_left(std::span<const float* const> rows, std::byte* panel) const override {
    return pack(rows, products_.left, 1, panel);
  }
  PanelExtent pack_right(std::span<const float* const> rows, std::byte* panel) const override {
    return pack(rows, products_.right, products_.units_of_a_panel, panel);
  }

  void multiply(const std::byte* left, const PanelExtent&, const ScreenedPanels& rights,
                Index first, Index panels, std::byte*, float* cells) const override {
    products_.multiply(reinterpret_cast<const std::uint16_t*>(left),
                       reinterpret_cast<const std::uint16_t*>(rights[first]),
                       panels * products_.units_of_a_panel, steps_, cells);
  }

 private:
  Index unit_size(const StepLayout& side) const { return steps_ * side.vectors * side.features; }

  PanelExtent pack(std::span<const float* const> rows, const StepLayout& side, Index units,
                   std::byte* bytes) const {
    auto* panel = reinterpret_cast<std::uint16_t*>(bytes);
    const Index unit = unit_size(side);
    std::fill_n(panel, units * unit, std::uint16_t{0});
    double length = 0, worst = 0;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const float* row = rows[r];
      length = std::max(length, row_length(row, features_));
      const auto place = static_cast<Index>(r);
      std::uint16_t* out = panel + place / side.vectors * unit;
      double squares = 0;
      for (Index k = 0; k < features_; ++k) {
        const std::uint32_t bits = bfloat16_bits(row[k]);
        const double rest =
            static_cast<double>(row[k]) - static_cast<double>(std::bit_cast<float>(bits << 16));
        squares += rest * rest;
        out[k / side.features * side.vectors * side.features +
            side.place(place % side.vectors, k % side.features)] = static_cast<std::uint16_t>(bits);
      }
      worst = std::max(worst, squares);
    }
    return {1, length, std::sqrt(worst) * (1 + 1e-9), 0};
  }

  const Bfloat16Products& products_;
  Index features_, steps_;
};

}  // namespace

std::unique_ptr<TileMaker> make_bfloat16_maker(const Bfloat16Products& products, Index features) {
  return std::make_unique<Bfloat16Tiles>(products, features);
}

}  // namespace wellgram
