#include "cpu/team.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace wellgram {

namespace {
constexpr auto watch_interval = std::chrono::milliseconds(50);
using Clock = std::chrono::steady_clock;

// A loop that runs. A team may run several at a time, one within a chunk of another among them.
struct Progress {
  const Index chunks;
  const bool reported;
  std::atomic<Index> next{0};
  std::atomic<bool> stop{false};
  Clock::time_point last = Clock::now();  // when the calling thread looked
};

// The innermost loop that this thread works for.
thread_local Progress* current = nullptr;

struct Working {
  explicit Working(Progress& progress) { current = &progress; }
  ~Working() { current = outer; }
  Progress* const outer = current;
};

struct Helpers {
  std::vector<std::thread> threads;
  ~Helpers() {
    for (auto& thread : threads) thread.join();
  }
};

// Ends a chunk whose loop another thread has stopped.
struct Stopped {};
}  // namespace

Team::Team(int threads, Watch watch) : threads_(std::max(threads, 1)), watch_(std::move(watch)) {}

void Team::look(int worker) const {
  Progress& progress = *current;
  if (progress.stop) throw Stopped();
  if (worker != 0 || !watch_ || Clock::now() - progress.last <= watch_interval) return;
  progress.last = Clock::now();
  const auto chunks = static_cast<double>(progress.chunks);
  const auto begun = static_cast<double>(std::min(progress.next.load(), progress.chunks));
  watch_(progress.reported ? std::optional(begun / chunks) : std::nullopt);
}

void Team::loop(Index chunks, const Body& body, bool reported) const {
  Progress progress{chunks, reported};
  std::exception_ptr failure;
  std::mutex failure_lock;

  const auto fail = [&] {
    const std::lock_guard lock(failure_lock);
    if (!failure) failure = std::current_exception();
    progress.stop = true;
  };
  const auto work = [&](int worker) {
    const Working working(progress);
    try {
      while (!progress.stop) {
        const Index chunk = progress.next++;
        if (chunk >= chunks) return;
        body(chunk, worker);
        look(worker);
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
    } catch (const std::system_error&) {
      // The system has no thread left; those that there are do the work.
    }
    work(0);
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace wellgram
