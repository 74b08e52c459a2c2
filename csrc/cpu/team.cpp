#include "cpu/team.hpp"

#include <algorithm>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace wellgram {

namespace {
constexpr auto watch_interval = std::chrono::milliseconds(50);

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
  if (progress_.stop) throw Stopped();
  if (worker != 0 || !watch_ || Clock::now() - progress_.last <= watch_interval) return;
  progress_.last = Clock::now();
  const auto chunks = static_cast<double>(progress_.chunks);
  const auto begun = static_cast<double>(std::min(progress_.next.load(), progress_.chunks));
  watch_(progress_.reported ? std::optional(begun / chunks) : std::nullopt);
}

void Team::loop(Index chunks, const Body& body, bool reported) const {
  progress_.next = 0;
  progress_.stop = false;
  progress_.chunks = chunks;
  progress_.reported = reported;
  progress_.last = Clock::now();
  std::exception_ptr failure;
  std::mutex failure_lock;

  const auto fail = [&] {
    const std::lock_guard lock(failure_lock);
    if (!failure) failure = std::current_exception();
    progress_.stop = true;
  };
  const auto work = [&](int worker) {
    try {
      while (!progress_.stop) {
        const Index chunk = progress_.next++;
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
