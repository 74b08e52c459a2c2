#include <cuda_runtime_api.h>

#include "cuda/devices.hpp"

namespace wellgram {

Devices list_devices() {
  Devices devices;
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess) {
    devices.problem = cudaGetErrorString(status);
    return devices;
  }
  for (int d = 0; d < count; ++d) {
    cudaDeviceProp properties;
    if (cudaGetDeviceProperties(&properties, d) == cudaSuccess)
      devices.found.push_back(
          {properties.name, properties.major, properties.minor, properties.totalGlobalMem});
  }
  if (devices.found.empty()) devices.problem = "the driver reports no device";
  return devices;
}

}  // namespace wellgram
