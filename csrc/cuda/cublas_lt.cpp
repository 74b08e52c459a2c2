#include "cuda/cublas_lt.hpp"

#include <dlfcn.h>

#include <stdexcept>

namespace wellgram::gpu {

namespace {

// Of cublasLt.h, cublas_api.h and library_types.h.
enum ComputeType {
  compute_32f = 68,
  compute_64f = 70,
  compute_32i = 72,
  compute_32f_fast_tf32 = 77
};
enum DataType { data_32f = 0, data_64f = 1, data_8i = 3, data_32i = 10, data_16bf = 14 };
enum DescriptionAttribute { transpose_a = 3 };
enum PreferenceAttribute { reduction_schemes = 3 };
constexpr int transposed = 1;
constexpr std::uint32_t no_split = 0;

// The types of a product: of its factors and of its sums, and how it is made.
struct Types {
  int factor, sum, compute;
};

Types types_of(Device::Kind kind) {
  switch (kind) {
    case Device::Kind::float64:
      return {data_64f, data_64f, compute_64f};
    case Device::Kind::bfloat16:
      return {data_16bf, data_32f, compute_32f};
    case Device::Kind::int8:
      return {data_8i, data_32i, compute_32i};
    case Device::Kind::tf32:
      return {data_32f, data_32f, compute_32f_fast_tf32};
    case Device::Kind::float32:
      break;
  }
  return {data_32f, data_32f, compute_32f};
}

struct Heuristic {
  std::uint64_t algorithm[8];
  std::size_t workspace;
  int state;
  float waves;
  int reserved[4];
};

void need(int status, const char* what) {
  if (status != 0)
    throw std::runtime_error(std::string("cuBLASLt could not ") + what + " (status " +
                             std::to_string(status) + ")");
}

}  // namespace

struct CublasLt::Functions {
  void* library;
  int (*create)(void**);
  int (*destroy)(void*);
  int (*describe)(void**, int compute, int scale);
  int (*describe_set)(void*, int attribute, const void*, std::size_t);
  int (*layout)(void**, int type, std::uint64_t rows, std::uint64_t columns, std::int64_t stride);
  int (*prefer)(void**);
  int (*prefer_set)(void*, int attribute, const void*, std::size_t);
  int (*choose)(void* handle, void* description, void* a, void* b, void* c, void* d,
                void* preference, int wanted, Heuristic*, int* found);
  int (*multiply)(void* handle, void* description, const void* alpha, const void* a, void* a_layout,
                  const void* b, void* b_layout, const void* beta, const void* c, void* c_layout,
                  void* d, void* d_layout, const void* algorithm, void* workspace,
                  std::size_t bytes, void* stream);
};

// Kept for as long as the library: as many as there are shapes of products, tiles above all.
struct CublasLt::Plan {
  void *description, *a, *b, *c;
  Heuristic chosen;
};

template <class F>
static void find(void* library, const char* name, F& function) {
  function = reinterpret_cast<F>(dlsym(library, name));
  if (function == nullptr) throw std::runtime_error(std::string("cuBLASLt has no ") + name);
}

CublasLt::CublasLt(const std::string& path) : call_(std::make_unique<Functions>()) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw std::runtime_error(dlerror());
  call_->library = library;
  find(library, "cublasLtCreate", call_->create);
  find(library, "cublasLtDestroy", call_->destroy);
  find(library, "cublasLtMatmulDescCreate", call_->describe);
  find(library, "cublasLtMatmulDescSetAttribute", call_->describe_set);
  find(library, "cublasLtMatrixLayoutCreate", call_->layout);
  find(library, "cublasLtMatmulPreferenceCreate", call_->prefer);
  find(library, "cublasLtMatmulPreferenceSetAttribute", call_->prefer_set);
  find(library, "cublasLtMatmulAlgoGetHeuristic", call_->choose);
  find(library, "cublasLtMatmul", call_->multiply);
  need(call_->create(&handle_), "begin");
}

CublasLt::~CublasLt() {
  if (handle_ != nullptr) call_->destroy(handle_);
}

// The library's matrices lie by columns, so our rows are its columns, and it makes c' = b a'.
const CublasLt::Plan& CublasLt::plan_of(Device::Kind kind, const Device::Product& p) {
  auto& plan = plans_[{kind, p.m, p.n, p.d, p.a_stride, p.b_stride, p.c_stride}];
  if (plan) return *plan;
  const Types types = types_of(kind);
  auto made = std::make_unique<Plan>();
  need(call_->describe(&made->description, types.compute, types.sum), "describe a product");
  need(call_->describe_set(made->description, transpose_a, &transposed, sizeof transposed),
       "transpose");
  need(call_->layout(&made->b, types.factor, p.d, p.n, p.b_stride), "describe b");
  need(call_->layout(&made->a, types.factor, p.d, p.m, p.a_stride), "describe a");
  need(call_->layout(&made->c, types.sum, p.n, p.m, p.c_stride), "describe c");
  void* preference = nullptr;
  need(call_->prefer(&preference), "prefer");
  // No splitting of sums: a product must have the same bits wherever in a tile it stands.
  need(call_->prefer_set(preference, reduction_schemes, &no_split, sizeof no_split), "prefer");
  int found = 0;
  need(call_->choose(handle_, made->description, made->b, made->a, made->c, made->c, preference, 1,
                     &made->chosen, &found),
       "choose an algorithm");
  if (found == 0) throw std::runtime_error("cuBLASLt has no algorithm for a product");
  plan = std::move(made);
  return *plan;
}

void CublasLt::multiply(Device::Kind kind, const Device::Product& p, void* stream) {
  const Plan& plan = plan_of(kind, p);
  static constexpr struct {
    double wide;
    float narrow;
    std::int32_t whole;
  } one{1, 1, 1}, none{0, 0, 0};
  const auto scale = [&](const auto& number) -> const void* {
    if (kind == Device::Kind::float64) return &number.wide;
    if (kind == Device::Kind::int8) return &number.whole;
    return &number.narrow;
  };
  const auto at = [](Address address) { return reinterpret_cast<void*>(address); };
  need(call_->multiply(handle_, plan.description, scale(one), at(p.b), plan.b, at(p.a), plan.a,
                       scale(none), at(p.c), plan.c, at(p.c), plan.c, plan.chosen.algorithm,
                       nullptr, 0, stream),
       "multiply");
}

}  // namespace wellgram::gpu
