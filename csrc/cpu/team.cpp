#include "cpu/team.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace wellgram {

namespace {
constexpr auto watch_interval = std::chrono::milliseconds(50);
using Clock = std::chrono::steady_clock;

struct Helpers {
  std::vector<std::thread> threads;
  ~Helpers() {
    for (auto& thread : threads) thread.join();
  }
};
}  // namespace

Team::Team(int threads, Watch watch) : threads_(std::max(threads, 1)), watch_(std::move(watch)) {}

void Team::loop(Index chunks, const Body& body, bool reported) const {
  std::atomic<Index> next{0};
  std::atomic<bool> stop{false};
  std::exception_ptr failure;
  std::mutex failure_lock;

  const auto fail = [&] {
    const std::lock_guard lock(failure_lock);
    if (!failure) failure = std::current_exception();
    stop = true;
  };
  const auto work = [&](int worker) {
    auto last = Clock::now();
    try {
      while (!stop) {
        const Index chunk = next++;
        if (chunk >= chunks) return;
        body(chunk, worker);
        if (worker == 0 && watch_ && Clock::now() - last > watch_interval) {
          last = Clock::now();
          const auto begun = static_cast<double>(std::min(next.load(), chunks));
          watch_(reported ? std::optional(begun / static_cast<double>(chunks)) : std::nullopt);
        }
      }
    } catch (...) {
      fail();
    }
  };

  const int helpers = static_cast<int>(std::min<Index>(threads_, chunks)) - 1;
  {
    Helpers team;
    try {
      for (int worker = 1; worker <= helpers; ++worker) team.threads.emplace_back(work, worker);
    } catch (...) {
      fail();  // the system has no thread left: those already started stop at their next chunk
    }
    work(0);
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace wellgram
