// A loop over chunks shared among threads, which can be watched and stopped.
#pragma once

#include <functional>
#include <optional>

#include "common/view.hpp"

namespace wellgram {

class Team {
 public:
  using Body = std::function<void(Index chunk, int worker)>;
  using Watch = std::function<void(std::optional<double> share)>;

  // `watch` is called by the thread that calls run, between two of its chunks, where it looks
  // within one, and at most every 50 ms. It may throw: the loop then stops.
  Team(int threads, Watch watch);

  int threads() const { return threads_; }

  // Calls body(chunk, worker) once for every chunk in [0, chunks), worker in [0, threads). Chunks
  // are handed out in order as threads come free, so what a chunk computes must not depend on its
  // worker. The first exception of any thread stops the loop and is thrown here.
  void run(Index chunks, const Body& body) const { loop(chunks, body, false); }

  // The same for the one loop of a primitive that is worth reporting: `watch` is told the share of
  // the chunks begun, in [0, 1]. Were the preparing loops reported too, the share would fall.
  void run_reported(Index chunks, const Body& body) const { loop(chunks, body, true); }

  // To be called now and then within a chunk that may take long, by its worker. Throws if the loop
  // is to stop.
  void look(int worker) const;

 private:
  void loop(Index chunks, const Body& body, bool reported) const;

  int threads_;
  Watch watch_;
};

}  // namespace wellgram
