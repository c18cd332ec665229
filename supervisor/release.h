// What the workers of one generation are started from: kept as long as one of them lives, and the one before it
// for `rollback`. A value that nobody changes: a new generation is a new one.
#pragma once
#include <cstdint>
#include <memory>

#include "conf/settings.h"
#include "supervisor/privileges.h"

namespace supervisor {

struct Release {
  std::uint32_t generation = 1;  ///< of the app; counted up by its group, never used again
  conf::App app;
  Account account;  ///< who its workers are
};
using ReleaseRef = std::shared_ptr<const Release>;

}  // namespace supervisor
