// A screen of whole numbers of 16 bits.
//
// A panel has a scale S: q = round(S x). S is such that |q| <= 46,340, so that by Cauchy-Schwarz a
// dot product of two rows fits into 32 bits, and that no |q_k| exceeds 32,767.
#include "cpu/screens/quantise.hpp"
#include "cpu/screens/tile_maker.hpp"

namespace wellgram {

namespace {

class Int16Tiles final : public TileMaker {
 public:
  explicit Int16Tiles(Index features) : features_(features), depth_(panel_count(features, 2)) {}

  Index tall() const override { return kernels<float>().tile_rows; }
  Index wide() const override { return kernels<float>().tile_columns; }
  Index left_bytes() const override { return bytes(tall()); }
  Index right_bytes() const override { return bytes(wide()); }
  // One tile is sifted while it lies in the first-level cache.
  Index at_once() const override { return 1; }
  Index scratch_bytes(Index) const override { return 0; }

  PanelExtent pack_left(std::span<const float* const> rows, std::byte* panel) const override {
    return pack(rows, tall(), panel);
  }
  PanelExtent pack_right(std::span<const float* const> rows, std::byte* panel) const override {
    return pack(rows, wide(), panel);
  }

  void multiply(const std::byte* left, const PanelExtent& extent, const ScreenedPanels& rights,
                Index first, Index panels, std::byte*, float* cells) const override {
    for (Index p = first; p < first + panels; ++p, cells += tall() * wide()) {
      const auto unit = static_cast<float>(1 / (extent.scale * rights.extent(p).scale));
      current_set().screen.int16_tile(reinterpret_cast<const Int16Pair*>(left),
                                      reinterpret_cast<const Int16Pair*>(rights[p]), depth_, unit,
                                      cells);
    }
  }

 private:
  Index bytes(Index width) const { return width * depth_ * static_cast<Index>(sizeof(Int16Pair)); }

  PanelExtent pack(std::span<const float* const> rows, Index width, std::byte* bytes) const {
    auto* panel = reinterpret_cast<Int16Pair*>(bytes);
    if (std::ssize(rows) < width) std::fill_n(panel, width * depth_, Int16Pair{0});
    const double rounding = std::sqrt(static_cast<double>(features_)) / 2;
    const auto scale = [&](double length, double largest) {
      return std::min((46339.5 - rounding) / length, 32766.5 / largest);
    };
    return quantise_rows(rows, features_, scale, [&](Index r, const std::int16_t* whole) {
      const auto bits = [&](Index k) -> std::uint32_t {
        return k < features_ ? static_cast<std::uint16_t>(whole[k]) : 0;
      };
      for (Index k = 0; k < depth_; ++k)
        panel[k * width + r].bits = bits(2 * k) | bits(2 * k + 1) << 16;
    });
  }

  Index features_, depth_;
};

}  // namespace

std::unique_ptr<TileMaker> make_int16_maker(Index features) {
  return std::make_unique<Int16Tiles>(features);
}

}  // namespace wellgram
