// The tables of matrix units that this build has; the lists come from CMakeLists.txt.
#include "cpu/bfloat16_products.hpp"
#include "cpu/part_products.hpp"

namespace wellgram {

#define X(name) extern const PartProducts part_##name;
WELLGRAM_PART_LIST
#undef X
#define X(name) extern const Bfloat16Products bfloat16_##name;
WELLGRAM_BFLOAT16_LIST
#undef X

namespace {

#define X(name) &part_##name,
constexpr const PartProducts* part_tables[] = {WELLGRAM_PART_LIST nullptr};
#undef X
#define X(name) &bfloat16_##name,
constexpr const Bfloat16Products* bfloat16_tables[] = {WELLGRAM_BFLOAT16_LIST nullptr};
#undef X

}  // namespace

const PartProducts* const* part_products() { return part_tables; }
const Bfloat16Products* const* bfloat16_products() { return bfloat16_tables; }

}  // namespace wellgram
