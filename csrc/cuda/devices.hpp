// The CUDA devices of this machine.
#pragma once

#include <string>
#include <vector>

namespace wellgram {

struct Device {
  std::string name;
  int major, minor;    // compute capability
  std::size_t memory;  // bytes
};

struct Devices {
  std::vector<Device> found;
  std::string problem;  // why none was found; empty where some were
};

Devices list_devices();

}  // namespace wellgram
