// The workers of one app as the front knows them. Plain values: who is there, and how a request reaches it.
// Which one is chosen: choose.h. Their slots and connections: dispatch.h.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "upstream/app.h"

namespace upstream {

/// One for each process ever started, counted up by the supervisor; never used again.
using WorkerId = std::uint64_t;

/// One worker, from publish to its end.
struct Worker {
  WorkerId id = 0;
  AppIndex app = 0;
  std::uint32_t slot = 0;        ///< its place in the app, from 1; a replacement takes the place over
  std::int32_t pid = 0;          ///< 0: a `proxy` worker that somebody else supervises
  std::uint32_t generation = 1;  ///< of the app's release
  std::uint32_t row = 0;         ///< in the scoreboard, while it lives
  std::uint32_t slots = 1;       ///< requests that it takes at the same time
  Speech speech = Speech::kHttp;  ///< a release may change the app's
  std::uint64_t max_requests = 0;  ///< from all fronts together; then Spent is said; 0: never
  std::string socket;            ///< the path it listens on, or "port:8001" on loopback (a `{port}` command)
  bool operator==(const Worker&) const = default;
};

using Roster = std::vector<Worker>;

}  // namespace upstream
