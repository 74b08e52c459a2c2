// A screen of whole numbers in two parts of 8 bits: q = round(S x) = 256 h + l, |h|, |l| <= 128.
//
// Of a product of two numbers h h' goes into one sum of 32 bits and h l' + l h' into another, both
// exact; l l' is left out. S = 32,639 / the largest size of a value, so that |h| <= 127.
#include "cpu/part_products.hpp"
#include "cpu/screens/quantise.hpp"
#include "cpu/screens/tile_maker.hpp"

namespace wellgram {

namespace {

class PartTiles final : public TileMaker {
 public:
  PartTiles(const PartProducts& products, Index features)
      : products_(products), features_(features), steps_(panel_count(features, part_features)) {}

  Index tall() const override { return products_.left.vectors; }
  Index wide() const override { return products_.right.vectors * products_.units_of_a_panel; }
  Index left_bytes() const override { return unit_bytes(products_.left); }
  Index right_bytes() const override {
    return products_.units_of_a_panel * unit_bytes(products_.right);
  }

  Index at_once() const override { return strip_panels(right_bytes(), wide()); }

  Index scratch_bytes(Index panels) const override {
    return panels * wide() * tall() * 2 * static_cast<Index>(sizeof(std::int32_t));
  }

  PanelExtent pack_left(std::span<const float* const> rows, std::byte* panel) const override {
    return pack(rows, products_.left, 1, panel);
  }
  PanelExtent pack_right(std::span<const float* const> rows, std::byte* panel) const override {
    return pack(rows, products_.right, products_.units_of_a_panel, panel);
  }

  void multiply(const std::byte* left, const PanelExtent& extent, const ScreenedPanels& rights,
                Index first, Index panels, std::byte* scratch, float* cells) const override {
    auto* sums = reinterpret_cast<std::int32_t*>(scratch);
    const Index units = products_.units_of_a_panel, size = products_.right.vectors * tall();
    products_.multiply(reinterpret_cast<const std::int8_t*>(left),
                       reinterpret_cast<const std::int8_t*>(rights[first]), panels * units, steps_,
                       sums);
    for (Index p = first; p < first + panels; ++p) {
      const auto unit = static_cast<float>(256 / (extent.scale * rights.extent(p).scale));
      for (Index u = 0; u < units; ++u, sums += 2 * size, cells += size)
        current_set().screen.join_parts(sums, sums + size, size, unit, cells);
    }
  }

 private:
  Index unit_bytes(const StepLayout& side) const {
    return steps_ * 2 * side.vectors * part_features;
  }

  PanelExtent pack(std::span<const float* const> rows, const StepLayout& side, Index units,
                   std::byte* bytes) const {
    auto* panel = reinterpret_cast<std::int8_t*>(bytes);
    const Index unit = unit_bytes(side), width = units * side.vectors;
    if (std::ssize(rows) < width || features_ % part_features != 0)
      std::fill_n(panel, units * unit, std::int8_t{0});
    std::vector<std::int8_t> high(features_), low(features_);
    double worst = 0;
    const auto scale = [](double, double largest) { return 32639 / largest; };
    const auto place = [&](Index r, const std::int16_t* whole) {
      std::int64_t squares = 0;
      for (Index k = 0; k < features_; ++k) {
        const int upper = (whole[k] + 128) >> 8, lower = whole[k] - 256 * upper;
        high[k] = static_cast<std::int8_t>(upper);
        low[k] = static_cast<std::int8_t>(lower);
        squares += lower * lower;
      }
      worst = std::max(worst, static_cast<double>(squares));
      std::int8_t* out = panel + r / side.vectors * unit;
      const Index vector = r % side.vectors;
      for (Index k = 0; k < features_; k += side.group) {
        const auto count = static_cast<std::size_t>(std::min(side.group, features_ - k));
        const Index at = 2 * (k / part_features) * side.vectors * part_features +
                         side.place(vector, k % part_features);
        std::copy_n(&high[k], count, out + at);
        std::copy_n(&low[k], count, out + at + side.vectors * part_features);
      }
    };
    PanelExtent extent = quantise_rows(rows, features_, scale, place);
    extent.low = std::sqrt(worst) / extent.scale * (1 + 1e-9);
    return extent;
  }

  const PartProducts& products_;
  Index features_, steps_;
};

}  // namespace

std::unique_ptr<TileMaker> make_part_maker(const PartProducts& products, Index features) {
  return std::make_unique<PartTiles>(products, features);
}

}  // namespace wellgram
