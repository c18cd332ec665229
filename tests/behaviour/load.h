// What h2load counted.
#pragma once
#include <cstdint>

#include "play.h"

namespace play {

struct Load {
  std::uint64_t succeeded = 0, failed = 0, answered_2xx = 0;
};

/// Reads "requests: 10 total, 10 started, 10 done, 10 succeeded, 0 failed, ..." and "status codes: 10 2xx,
/// ...".
Load to_load(const Ended& h2load);

}  // namespace play
