// Compares the products of a matrix unit with plain sums, and exits with 1 where they differ.
#include <cstdint>
#include <cstdio>
#include <vector>

#include "cpu/part_products.hpp"

using namespace wellgram;

namespace wellgram {
extern const PartProducts WELLGRAM_PRODUCTS_TABLE;
}

namespace {

struct Side {
  StepLayout layout;
  Index units, steps;
  std::vector<std::int8_t> bytes;

  Side(const StepLayout& shape, Index unit_count, Index step_count, unsigned seed)
      : layout(shape),
        units(unit_count),
        steps(step_count),
        bytes(unit_count * step_count * 2 * shape.vectors * part_features) {
    for (auto& byte : bytes) {
      seed = seed * 1664525u + 1013904223u;
      byte = static_cast<std::int8_t>(seed >> 24);
    }
  }

  // The part (0: upper, 1: lower) of a vector's feature.
  int part(Index unit, int which, Index vector, Index feature) const {
    const Index step = feature / part_features;
    return bytes[((unit * steps + step) * 2 + which) * layout.vectors * part_features +
                 layout.place(vector, feature % part_features)];
  }
};

}  // namespace

int main() {
  const PartProducts& unit = WELLGRAM_PRODUCTS_TABLE;
  if (!unit.usable()) {
    std::puts("the unit is not usable here");
    return 2;
  }
  const Index size = unit.left.vectors * unit.right.vectors;
  for (const Index steps : {1, 2, 9, 17}) {
    const Index units = 3;
    const Side left(unit.left, 1, steps, 1), right(unit.right, units, steps, 2);
    std::vector<std::int32_t> sums(2 * units * size);
    unit.multiply(left.bytes.data(), right.bytes.data(), units, steps, sums.data());
    for (Index u = 0; u < units; ++u)
      for (Index j = 0; j < unit.right.vectors; ++j)
        for (Index i = 0; i < unit.left.vectors; ++i) {
          std::int32_t high = 0, middle = 0;
          for (Index k = 0; k < steps * part_features; ++k) {
            const int a = left.part(0, 0, i, k), b = left.part(0, 1, i, k);
            const int c = right.part(u, 0, j, k), d = right.part(u, 1, j, k);
            high += a * c;
            middle += a * d + b * c;
          }
          const std::int32_t* cell = &sums[2 * u * size + j * unit.left.vectors + i];
          if (cell[0] != high || cell[size] != middle) {
            std::printf("%s: wrong at unit %ld, row %ld, row %ld\n", unit.name, long(u), long(i),
                        long(j));
            return 1;
          }
        }
  }
  std::printf("%s: equal\n", unit.name);
  return 0;
}
