// Chooses the instruction set at load; the list of sets comes from CMakeLists.txt.
#include <array>
#include <cstring>

#include "cpu/kernels.hpp"

namespace wellgram {

#define X(name) extern const InstructionSet set_##name;
WELLGRAM_ISA_LIST
#undef X

namespace {

#define X(name) &set_##name,
constexpr const InstructionSet* all_sets[] = {WELLGRAM_ISA_LIST};
#undef X
constexpr std::size_t set_count = sizeof(all_sets) / sizeof(all_sets[0]);

std::array<const InstructionSet*, set_count + 1> find_usable() {
  std::array<const InstructionSet*, set_count + 1> usable{};
  std::size_t found = 0;
  for (const auto* set : all_sets)
    if (set->supported()) usable[found++] = set;
  return usable;
}

const auto usable = find_usable();
const InstructionSet* current = usable[0];

}  // namespace

const InstructionSet* const* usable_sets() { return usable.data(); }

const InstructionSet& current_set() { return *current; }

bool use_set(const char* name) {
  for (const auto* set : usable)
    if (set != nullptr && std::strcmp(set->name, name) == 0) {
      current = set;
      return true;
    }
  return false;
}

}  // namespace wellgram
