// How a screen packs rows in panels, and makes the tiles of panels: what every screen does in a way
// of its own. A right panel is as wide as some tiles of the instruction set, side by side.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "common/bfloat16.hpp"
#include "cpu/buffer.hpp"
#include "cpu/screens/bounds.hpp"

namespace wellgram {

// Rows as a pass multiplies them: as they are, or rounded to bfloat16.
struct ScreenedRows {
  View<const float> rows;
  bool bfloat16 = false;

  // Roundings of the chain of float32 that is their dot product without a screen.
  Index roundings() const { return rows.columns + (bfloat16 ? 2 : 0); }

  // The length of the longest; infinite where one is NaN.
  double longest(const Team& team) const {
    return longest_row(rows, team) * (bfloat16 ? 1 + 0x1p-8 : 1);
  }
};

// Pointers to rows of a panel, which may be copies that are rounded.
class PanelRows {
 public:
  // Rows at(0) ... at(count - 1).
  template <class At>
  std::span<const float* const> take(const ScreenedRows& rows, Index count, const At& at) {
    const Index features = rows.rows.columns;
    pointers_.resize(count);
    if (rows.bfloat16) rounded_.resize(count * features);
    for (Index r = 0; r < count; ++r) {
      const float* row = rows.rows.row(at(r));
      pointers_[r] = row;
      if (!rows.bfloat16) continue;
      float* out = rounded_.data() + r * features;
      for (Index k = 0; k < features; ++k) out[k] = as_bfloat16(row[k]);
      pointers_[r] = out;
    }
    return pointers_;
  }

 private:
  std::vector<const float*> pointers_;
  std::vector<float> rounded_;
};

class ScreenedPanels;

class TileMaker {
 public:
  virtual ~TileMaker() = default;

  // Rows of a left panel and of a right one, and their bytes.
  virtual Index tall() const = 0;
  virtual Index wide() const = 0;
  virtual Index left_bytes() const = 0;
  virtual Index right_bytes() const = 0;

  // How many right panels are best multiplied at once.
  virtual Index at_once() const = 0;

  // Bytes that `multiply` needs beside, for so many right panels.
  virtual Index scratch_bytes(Index panels) const = 0;

  // By how many roundings, at the most, what is done in float32 may change a product.
  virtual Index sum_roundings() const { return 16; }

  virtual PanelExtent pack_left(std::span<const float* const> rows, std::byte* panel) const = 0;
  virtual PanelExtent pack_right(std::span<const float* const> rows, std::byte* panel) const = 0;

  // cells[(p * wide + j) * tall + i] = near the dot product of row i of the left panel and row j of
  // right panel first + p.
  virtual void multiply(const std::byte* left, const PanelExtent& extent,
                        const ScreenedPanels& rights, Index first, Index panels, std::byte* scratch,
                        float* cells) const = 0;
};

// The maker of a screen's tiles for rows of so many features.
std::unique_ptr<TileMaker> make_int16_maker(Index features);
struct PartProducts;
std::unique_ptr<TileMaker> make_part_maker(const PartProducts& products, Index features);
struct Bfloat16Products;
std::unique_ptr<TileMaker> make_bfloat16_maker(const Bfloat16Products& products, Index features);

// How many right panels stay in the second-level cache with what is made of them, while left panels
// stream past.
inline Index strip_panels(Index panel_bytes, Index columns) {
  constexpr Index bytes = 1 << 20, most_columns = 480;
  return std::max<Index>(1, std::min(bytes / panel_bytes, most_columns / columns));
}

// Panels side by side, and their extents.
class ScreenedPanels {
 public:
  ScreenedPanels(Index panels, Index bytes)
      : bytes_(bytes), extents_(panels), buffer_(panels * bytes) {}

  Index count() const { return std::ssize(extents_); }
  std::byte* operator[](Index p) const { return buffer_.data() + p * bytes_; }
  PanelExtent& extent(Index p) { return extents_[p]; }
  const PanelExtent& extent(Index p) const { return extents_[p]; }

  // Packs all right panels of rows at(0) ... at(count - 1).
  template <class At>
  void pack_right(const TileMaker& maker, const ScreenedRows& rows, Index count, const At& at,
                  const Team& team) {
    pack(maker.wide(), rows, count, at, team,
         [&](auto panel_rows, std::byte* panel) { return maker.pack_right(panel_rows, panel); });
  }
  template <class At>
  void pack_left(const TileMaker& maker, const ScreenedRows& rows, Index count, const At& at,
                 const Team& team) {
    pack(maker.tall(), rows, count, at, team,
         [&](auto panel_rows, std::byte* panel) { return maker.pack_left(panel_rows, panel); });
  }

 private:
  template <class At, class Pack>
  void pack(Index width, const ScreenedRows& rows, Index count, const At& at, const Team& team,
            const Pack& pack_panel) {
    std::vector<PanelRows> of_worker(team.threads());
    team.run(panel_count(count, width), [&](Index p, int worker) {
      const auto panel_rows = of_worker[worker].take(rows, std::min(width, count - p * width),
                                                     [&](Index r) { return at(p * width + r); });
      extents_[p] = pack_panel(panel_rows, (*this)[p]);
    });
  }

  Index bytes_;
  std::vector<PanelExtent> extents_;
  Buffer<std::byte> buffer_;
};

}  // namespace wellgram
