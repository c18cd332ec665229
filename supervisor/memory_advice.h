// Whether all workers that an app's settings ask for fit into the memory, in words: said once, when the first of them
// has been measured. Pure. Who measures: Group::advise_on_memory(). "auto" goes by the memory itself: scale.h.
#pragma once
#include <cstddef>
#include <optional>
#include <string>

#include "runtime/bytes.h"

namespace supervisor {

struct MemoryNeed {
  std::size_t wanted = 1;     ///< workers that the settings ask for, or allow
  std::size_t fits = 1;       ///< so many fit (scale::fit())
  std::size_t threads = 0;    ///< of a worker of ours; 0: what it has is its own business
  runtime::Bytes one = 0;     ///< what a worker holds
  runtime::Bytes usable = 0;  ///< the machine's memory, or the limit of our cgroup
};

/// "one worker with 8 threads uses 210 MiB of 256 MiB; a second will not fit", "one worker uses 60 MiB of 256 MiB; of 8
/// only 3 will fit". Nothing: all of them will.
std::optional<std::string> advice_on_memory(const MemoryNeed& need);

}  // namespace supervisor
