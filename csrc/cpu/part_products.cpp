// The tables of matrix units that this build has; the list comes from CMakeLists.txt.
#include "cpu/part_products.hpp"

namespace wellgram {

#define X(name) extern const PartProducts parts_##name;
WELLGRAM_PART_LIST
#undef X

namespace {

#define X(name) &parts_##name,
constexpr const PartProducts* tables[] = {WELLGRAM_PART_LIST nullptr};
#undef X

}  // namespace

const PartProducts* const* part_products() { return tables; }

}  // namespace wellgram
