// A loop over chunks shared among threads, which can be watched and stopped.
#pragma once

#include <functional>

#include "common/view.hpp"

namespace wellgram {

class Team {
 public:
  // `watch` is called with the share of the chunks begun, in [0, 1], by the thread that calls
  // run, between two of its chunks and at most every 50 ms. It may throw: the loop then stops.
  Team(int threads, std::function<void(double)> watch);

  int threads() const { return threads_; }

  // Calls body(chunk, worker) once for every chunk in [0, chunks), worker in [0, threads). Chunks
  // are handed out in order as threads come free, so what a chunk computes must not depend on its
  // worker. The first exception of any thread stops the loop and is thrown here.
  void run(Index chunks, const std::function<void(Index chunk, int worker)>& body) const;

 private:
  int threads_;
  std::function<void(double)> watch_;
};

}  // namespace wellgram
