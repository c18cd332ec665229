// Load, and what came of it.
#pragma once
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "play.h"

namespace play {

struct Load {
  std::uint64_t succeeded = 0, failed = 0, answered_2xx = 0;
};

/// What h2load counted. Reads "requests: 10 total, 10 started, 10 done, 10 succeeded, 0 failed, ..." and "status codes: 10 2xx,
/// ...".
Load to_load(const Ended& h2load);

/// Requests one after the other from several clients, each on a connection of its own, until it is said that it is enough.
class Clients {
 public:
  Clients(const Supervisor& portherd, std::size_t count, std::string path = "/");
  ~Clients() { stop(); }
  void stop();
  std::atomic<std::size_t> served = 0;  ///< answered 200
  std::atomic<std::size_t> failed = 0;

 private:
  std::atomic<bool> is_enough_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace play
