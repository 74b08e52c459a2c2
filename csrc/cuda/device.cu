// A card by the CUDA runtime. Kernels run on the default stream, so that they follow the work that
// other libraries have queued there; copies to the card have a stream of their own.
#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <new>
#include <stdexcept>

#include "cuda/cublas_lt.hpp"
#include "cuda/device.hpp"
#include "cuda/kernels.hpp"

namespace wellgram::gpu {

namespace {

void need(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // so that the next call does not report it again
  throw std::runtime_error(std::string("the card could not ") + what + ": " +
                           cudaGetErrorString(status));
}

void* at(Address address) { return reinterpret_cast<void*>(address); }

struct Kernel {
  const void* entry;
  std::string signature;
};

template <class... A>
Kernel kernel_of(void (*entry)(A...)) {
  return {reinterpret_cast<const void*>(entry), signature_of(entry)};
}

const std::map<std::string, Kernel>& kernels() {
#define ENTRY(...) {#__VA_ARGS__, kernel_of(&__VA_ARGS__)},
  static const std::map<std::string, Kernel> all{WELLGRAM_KERNELS(ENTRY)};
#undef ENTRY
  return all;
}

class Event final : public Mark {
 public:
  explicit Event(cudaStream_t stream) {
    need(cudaEventCreate(&event), "make an event");
    need(cudaEventRecord(event, stream), "record an event");
  }
  ~Event() override { cudaEventDestroy(event); }
  void wait() const override { need(cudaEventSynchronize(event), "finish its work"); }
  double milliseconds_since(const Mark& earlier) const override {
    float milliseconds = 0;
    need(cudaEventElapsedTime(&milliseconds, dynamic_cast<const Event&>(earlier).event, event),
         "tell the time");
    return static_cast<double>(milliseconds);
  }
  cudaEvent_t event;
};

// Memory that the card reads and writes by itself, while the processor fills or empties the other
// of two.
class Staging {
 public:
  static constexpr std::size_t size = std::size_t{16} << 20;

  char* next(cudaStream_t stream) {
    turn_ = 1 - turn_;
    if (buffers_[turn_] == nullptr) need(cudaMallocHost(&buffers_[turn_], size), "pin memory");
    if (busy_[turn_]) busy_[turn_]->wait();
    busy_[turn_].reset();
    stream_ = stream;
    return buffers_[turn_];
  }
  void queued() { busy_[turn_] = std::make_unique<Event>(stream_); }
  ~Staging() {
    for (char* buffer : buffers_) cudaFreeHost(buffer);
  }

 private:
  char* buffers_[2] = {};
  std::unique_ptr<Event> busy_[2];
  cudaStream_t stream_ = nullptr;
  int turn_ = 0;
};

class Card final : public Device {
 public:
  explicit Card(int index) : index_(index) {
    use();
    need(cudaDeviceGetDefaultMemPool(&pool_, index), "give memory by a pool");
    std::uint64_t all = ~std::uint64_t{0};
    need(cudaMemPoolSetAttribute(pool_, cudaMemPoolAttrReleaseThreshold, &all), "keep memory");
    need(cudaStreamCreateWithFlags(&copies_, cudaStreamNonBlocking), "make a stream");
  }
  ~Card() override {
    if (copies_ != nullptr) cudaStreamDestroy(copies_);
  }

  Address allocate(std::size_t bytes) override {
    use();
    void* memory = nullptr;
    const cudaError_t status = cudaMallocAsync(&memory, std::max<std::size_t>(bytes, 1), work_);
    if (status == cudaErrorMemoryAllocation) {
      cudaGetLastError();
      cudaMemPoolTrimTo(pool_, 0);
      throw std::bad_alloc();
    }
    need(status, "give memory");
    return reinterpret_cast<Address>(memory);
  }
  void release(Address address) override {
    if (cudaSetDevice(index_) == cudaSuccess) cudaFreeAsync(at(address), work_);
    cudaGetLastError();  // called by destructors, which cannot report
  }
  std::size_t free_memory() const override {
    use();
    std::size_t free = 0, total = 0, held = 0, used = 0;
    need(cudaMemGetInfo(&free, &total), "tell its memory");
    need(cudaMemPoolGetAttribute(pool_, cudaMemPoolAttrReservedMemCurrent, &held), "tell its pool");
    need(cudaMemPoolGetAttribute(pool_, cudaMemPoolAttrUsedMemCurrent, &used), "tell its pool");
    return free + (held - used);
  }
  void clear(Address address, std::size_t bytes) override {
    use();
    need(cudaMemsetAsync(at(address), 0, bytes, work_), "clear memory");
  }

  void put(Address to, std::size_t apart, const HostRows& from, const Mark& after) override {
    use();
    need(cudaStreamWaitEvent(copies_, dynamic_cast<const Event&>(after).event, 0), "wait");
    const std::size_t at_once = std::max<std::size_t>(1, Staging::size / apart);
    for (std::size_t first = 0; first < from.rows; first += at_once) {
      const std::size_t rows = std::min(at_once, from.rows - first);
      char* staged = staging_.next(copies_);
      pack(from.block(first, rows), staged, apart);
      need(cudaMemcpyAsync(at(to + first * apart), staged, rows * apart, cudaMemcpyHostToDevice,
                           copies_),
           "take data");
      staging_.queued();
    }
    const Event there(copies_);
    need(cudaStreamWaitEvent(work_, there.event, 0), "wait");
  }

  void get(const HostRows& to, Address from, std::size_t apart) override {
    use();
    const std::size_t at_once = std::max<std::size_t>(1, Staging::size / apart);
    struct Part {
      char* staged;
      std::size_t first, rows;
      std::unique_ptr<Event> there;
    } before{};
    const auto finish = [&](const Part& part) {
      part.there->wait();
      unpack(part.staged, apart, to.block(part.first, part.rows));
    };
    for (std::size_t first = 0; first < to.rows; first += at_once) {
      Part part{staging_.next(work_), first, std::min(at_once, to.rows - first), nullptr};
      need(cudaMemcpyAsync(part.staged, at(from + first * apart), part.rows * apart,
                           cudaMemcpyDeviceToHost, work_),
           "give data");
      part.there = std::make_unique<Event>(work_);
      if (before.there) finish(before);
      before = std::move(part);
    }
    if (before.there) finish(before);
  }

  std::unique_ptr<Mark> mark() override {
    use();
    return std::make_unique<Event>(work_);
  }
  void follow(std::uint64_t stream) override {
    use();
    const Event there(reinterpret_cast<cudaStream_t>(stream));
    need(cudaStreamWaitEvent(work_, there.event, 0), "wait");
  }

  void launch(const std::string& name, std::int64_t blocks,
              const std::vector<Word>& words) override {
    use();
    const Kernel& kernel = kernels().at(name);
    std::vector<void*> arguments;
    for (const Word& word : words) arguments.push_back(const_cast<Word*>(&word));
    need(cudaLaunchKernel(kernel.entry, dim3(static_cast<unsigned>(blocks)), dim3(THREADS),
                          arguments.data(), 0, work_),
         name.c_str());
  }

  void multiply(const std::string& library, Kind kind, const Product& product) override {
    use();
    if (!cublas_) cublas_ = std::make_unique<CublasLt>(library);
    cublas_->multiply(kind, product, work_);
  }

 private:
  void use() const { need(cudaSetDevice(index_), "be used"); }

  int index_;
  cudaMemPool_t pool_ = nullptr;
  cudaStream_t work_ = cudaStreamLegacy, copies_ = nullptr;
  Staging staging_;
  std::unique_ptr<CublasLt> cublas_;
};

}  // namespace

std::unique_ptr<Device> open_device(int index) { return std::make_unique<Card>(index); }

std::map<std::string, std::string> kernel_signatures() {
  std::map<std::string, std::string> all;
  for (const auto& [name, kernel] : kernels()) all[name] = kernel.signature;
  return all;
}

Devices list_devices() {
  Devices devices;
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess) {
    cudaGetLastError();
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

bool is_emulated() { return false; }

}  // namespace wellgram::gpu
