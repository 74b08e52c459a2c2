// A processor that plays a card, for tests: blocks and threads are loops, copies are copies, and
// what is queued is done at once. Memory is of a fixed size, so that running out of it can be
// tried.
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <new>
#include <stdexcept>

#include "cuda/device.hpp"
#include "cuda/kernels.hpp"

namespace wellgram::gpu {

namespace {

constexpr std::size_t all_memory = std::size_t{1} << 30;

struct Kernel {
  std::function<void(const Word*)> run;
  std::string signature;
};

template <class A>
A argument(Word word) {
  A value;
  static_assert(sizeof value == sizeof word);
  std::memcpy(&value, &word, sizeof value);
  return value;
}

template <class... A, std::size_t... I>
Kernel kernel_of(void (*entry)(A...), std::index_sequence<I...>) {
  return {[entry](const Word* words) { entry(argument<A>(words[I])...); }, signature_of(entry)};
}
template <class... A>
Kernel kernel_of(void (*entry)(A...)) {
  return kernel_of(entry, std::index_sequence_for<A...>{});
}

const std::map<std::string, Kernel>& kernels() {
#define ENTRY(...) {#__VA_ARGS__, kernel_of(&__VA_ARGS__)},
  static const std::map<std::string, Kernel> all{WELLGRAM_KERNELS(ENTRY)};
#undef ENTRY
  return all;
}

class Instant final : public Mark {
 public:
  void wait() const override {}
  double milliseconds_since(const Mark& earlier) const override {
    return std::chrono::duration<double, std::milli>(now -
                                                     dynamic_cast<const Instant&>(earlier).now)
        .count();
  }
  std::chrono::steady_clock::time_point now = std::chrono::steady_clock::now();
};

char* at(Address address) { return reinterpret_cast<char*>(address); }

class Emulated final : public Device {
 public:
  ~Emulated() override {
    for (const auto& [address, bytes] : given_) std::free(at(address));
  }
  Address allocate(std::size_t bytes) override {
    if (bytes > free_memory()) throw std::bad_alloc();
    void* memory = nullptr;
    if (posix_memalign(&memory, 256, bytes + 1) != 0) throw std::bad_alloc();
    std::memset(memory, 0xb3, bytes + 1);  // what nobody wrote is not to be read
    const auto address = reinterpret_cast<Address>(memory);
    given_[address] = bytes;
    used_ += bytes;
    return address;
  }
  void release(Address address) override {
    used_ -= given_.at(address);
    given_.erase(address);
    std::free(at(address));
  }
  std::size_t free_memory() const override { return all_memory - used_; }
  void clear(Address address, std::size_t bytes) override { std::memset(at(address), 0, bytes); }

  void put(Address to, std::size_t apart, const HostRows& from, const Mark&) override {
    pack(from, at(to), apart);
  }
  void get(const HostRows& to, Address from, std::size_t apart) override {
    unpack(at(from), apart, to);
  }

  std::unique_ptr<Mark> mark() override { return std::make_unique<Instant>(); }
  void follow(std::uint64_t) override {}

  void launch(const std::string& name, std::int64_t blocks,
              const std::vector<Word>& words) override {
    const Kernel& kernel = kernels().at(name);
    // The last block first, every other time: no kernel may depend on their order.
    backwards_ = !backwards_;
    for (std::int64_t b = 0; b < blocks; ++b) {
      here = {backwards_ ? blocks - 1 - b : b, blocks};
      kernel.run(words.data());
    }
  }

  void multiply(const std::string&, Kind, const Product&) override {
    throw std::runtime_error("the emulated card has no cuBLASLt");
  }

 private:
  std::map<Address, std::size_t> given_;
  std::size_t used_ = 0;
  bool backwards_ = false;
};

}  // namespace

std::unique_ptr<Device> open_device(int) { return std::make_unique<Emulated>(); }

std::map<std::string, std::string> kernel_signatures() {
  std::map<std::string, std::string> all;
  for (const auto& [name, kernel] : kernels()) all[name] = kernel.signature;
  return all;
}

Devices list_devices() { return {{{"emulated on the processor", 9, 0, all_memory}}, ""}; }

bool is_emulated() { return true; }

}  // namespace wellgram::gpu
