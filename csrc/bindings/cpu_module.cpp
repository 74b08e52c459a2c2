// wellgram._cpu: views of arrays in, the GIL released, a primitive called; nothing else.
#include <pybind11/stl.h>

#include "bindings/call.hpp"
#include "cpu/kernels.hpp"

namespace wellgram {

PYBIND11_MODULE(_cpu, m) {
  m.doc() = "The primitives in C++, for the processor.";

  m.def(
      "instruction_sets",
      [] {
        std::vector<std::string> names;
        for (auto set = usable_sets(); *set != nullptr; ++set) names.emplace_back((*set)->name);
        return names;
      },
      "The instruction sets that this build has and this processor runs, best first.");
  m.def(
      "instruction_set", [] { return std::string(current_set().name); },
      "The instruction set in use.");
  m.def(
      "use_instruction_set", [](const std::string& name) { return use_set(name.c_str()); },
      py::arg("name"), "Switch the instruction set; False where it is not usable.");

  bind_rows(m);
  bind_pairs(m);
}

}  // namespace wellgram
