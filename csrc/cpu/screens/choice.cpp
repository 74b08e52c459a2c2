#include "cpu/screens/choice.hpp"

#include <algorithm>

#include "cpu/bfloat16_products.hpp"
#include "cpu/part_products.hpp"
#include "cpu/screens/tile_maker.hpp"

namespace wellgram {

namespace {

const std::string automatic = "automatic", none = "none", int16 = "int16";
std::string choice = automatic;

// The tables whose units this process may use.
template <class Table>
std::vector<const Table*> usable_of(const Table* const* tables) {
  std::vector<const Table*> usable;
  for (; *tables != nullptr; ++tables)
    if ((*tables)->usable()) usable.push_back(*tables);
  return usable;
}

// The system is asked once.
const std::vector<const PartProducts*>& usable_parts() {
  static const auto usable = usable_of(part_products());
  return usable;
}

const std::vector<const Bfloat16Products*>& usable_bfloat16() {
  static const auto usable = usable_of(bfloat16_products());
  return usable;
}

template <class Table>
bool goes_with_instruction_set(const Table& table) {
  return table.tile_rows == kernels<float>().tile_rows &&
         table.tile_columns == kernels<float>().tile_columns;
}

// The matrix unit of the screen in use, or null.
const PartProducts* parts_in_use() {
  for (const auto* parts : usable_parts())
    if (goes_with_instruction_set(*parts) &&
        (choice == parts->name || (choice == automatic && parts->pays)))
      return parts;
  return nullptr;
}

// By name alone: where its wide bound pays has not been measured.
const Bfloat16Products* bfloat16_in_use() {
  for (const auto* table : usable_bfloat16())
    if (goes_with_instruction_set(*table) && choice == table->name) return table;
  return nullptr;
}

// Where an instruction multiplies bfloat16, a pass of it is as fast as one that is screened.
bool uses_int16(bool bfloat16) {
  const bool pays =
      current_set().screen.pays && !(bfloat16 && products<Bfloat16Pair>().gram_tile != nullptr);
  return choice == int16 || (choice == automatic && pays);
}

}  // namespace

std::vector<std::string> screen_names() {
  std::vector<std::string> names;
  for (const auto* parts : usable_parts())
    if (parts->pays) names.push_back(parts->name);
  names.push_back(int16);
  for (const auto* table : usable_bfloat16()) names.push_back(table->name);
  for (const auto* parts : usable_parts())
    if (!parts->pays) names.push_back(parts->name);
  return names;
}

bool use_screen(const std::string& name) {
  const auto names = screen_names();
  if (name != automatic && name != none && std::ranges::find(names, name) == names.end())
    return false;
  choice = name;
  return true;
}

std::string screen_name() {
  if (const auto* parts = parts_in_use()) return parts->name;
  if (const auto* table = bfloat16_in_use()) return table->name;
  return uses_int16(false) ? int16 : none;
}

bool screen_is_chosen() { return choice != automatic; }

std::vector<std::unique_ptr<TileMaker>> screens_for(Index rows, Index columns, Index features,
                                                    bool bfloat16) {
  // With fewer features a tile is made so soon that sifting it takes the time that was saved.
  constexpr Index least_features = 64;
  constexpr double least_products = 1e8;
  std::vector<std::unique_ptr<TileMaker>> makers;
  const double products =
      static_cast<double>(rows) * static_cast<double>(columns) * static_cast<double>(features);
  if (choice == automatic && (features < least_features || products < least_products))
    return makers;
  const auto* parts = parts_in_use();
  if (parts != nullptr && features <= most_part_features)
    makers.push_back(make_part_maker(*parts, features));
  if (const auto* table = bfloat16_in_use())
    makers.push_back(make_bfloat16_maker(*table, features));
  // Its scale follows the length of rows: a giant feature, which widens the bound of parts, does
  // not matter here.
  if (uses_int16(bfloat16)) makers.push_back(make_int16_maker(features));
  return makers;
}

}  // namespace wellgram
