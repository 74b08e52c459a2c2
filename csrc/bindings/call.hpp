// What every bound call is made of: arrays, and a team that can be watched and stopped.
#pragma once

#include <pybind11/pybind11.h>

#include <optional>

#include "bindings/arrays.hpp"
#include "cpu/team.hpp"

namespace wellgram {

template <class T>
using Array = py::array_t<T>;
using Codes = py::array_t<Index>;

// A team whose calling thread looks for Ctrl-C, and reports progress if asked, every 50 ms. It
// holds the GIL only for that instant.
class Call {
 public:
  explicit Call(int threads, py::object progress = py::none())
      : team(threads, [progress](std::optional<double> share) {
          const py::gil_scoped_acquire gil;
          if (PyErr_CheckSignals() != 0) throw py::error_already_set();
          if (share && !progress.is_none()) progress(*share);
        }) {}
  Team team;
};

inline void need_indices(const Index* index, Index count, Index rows) {
  for (Index p = 0; p < count; ++p)
    need(index[p] >= 0 && index[p] < rows, "a row index is out of range");
}

// Each registers the primitives of its file.
void bind_rows(py::module_& m);
void bind_pairs(py::module_& m);

}  // namespace wellgram
