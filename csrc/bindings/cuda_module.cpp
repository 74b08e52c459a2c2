// wellgram._cuda: reports the devices. Importing it needs no driver; calling it says what is amiss.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "cuda/devices.hpp"

namespace py = pybind11;

PYBIND11_MODULE(_cuda, m) {
  m.doc() = "CUDA devices.";
  m.def(
      "devices",
      [] {
        const auto devices = wellgram::list_devices();
        py::list found;
        for (const auto& device : devices.found) {
          py::dict entry;
          entry["name"] = device.name;
          entry["compute_capability"] =
              std::to_string(device.major) + "." + std::to_string(device.minor);
          entry["memory"] = device.memory;
          found.append(entry);
        }
        return py::make_tuple(found, devices.problem);
      },
      "A list of devices (name, compute_capability, memory in bytes), and why it is empty.");
}
