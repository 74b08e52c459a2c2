// Matrix products by cuBLASLt, whose library is loaded when it is first asked for: wellgram is
// built and imported without it. The few declarations needed are made here, as in cublasLt.h of
// CUDA 13.
#pragma once

#include <map>
#include <string>
#include <tuple>

#include "cuda/device.hpp"

namespace wellgram::gpu {

class CublasLt {
 public:
  explicit CublasLt(const std::string& path);  // throws std::runtime_error
  ~CublasLt();
  CublasLt(const CublasLt&) = delete;
  CublasLt& operator=(const CublasLt&) = delete;

  void multiply(Device::Kind kind, const Device::Product& product, void* stream);

 private:
  struct Functions;
  struct Plan;
  const Plan& plan_of(Device::Kind kind, const Device::Product& product);

  std::unique_ptr<Functions> call_;
  void* handle_ = nullptr;
  std::map<std::tuple<Device::Kind, std::int64_t, std::int64_t, std::int64_t, std::int64_t,
                      std::int64_t, std::int64_t>,
           std::unique_ptr<Plan>>
      plans_;
};

}  // namespace wellgram::gpu
