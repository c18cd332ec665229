// What the workers of one generation are started from: kept as long as one of them lives, and the one before it
// for `rollback`. A new generation is a new one; what needs no new process is amended by a reload, for all who are of it.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "conf/settings.h"
#include "supervisor/environment.h"
#include "supervisor/privileges.h"

namespace supervisor {

class Zygote;

struct Release {
  std::uint32_t generation = 1;  ///< of the app; counted up by its group, never used again
  conf::App app;
  Account account;  ///< who its workers are
  /// What env_file said when a process of this release was started first: whoever is started for it later has the
  /// same. Empty: none has been.
  mutable std::optional<Variables> file_environment = {};
  mutable bool has_told_of_withheld = false;  ///< what of its settings this machine does not give
  /// With `preload`: what its workers are forked from, as long as one of them holds it.
  mutable std::weak_ptr<Zygote> zygote = {};
  /// Of an app: what each of its services is started from in this generation, by its process's name ("shop.queue"). One that is
  /// not there has not been started for it.
  std::map<std::string, std::shared_ptr<Release>> services = {};
};
using ReleaseRef = std::shared_ptr<const Release>;  // of its workers; its group may amend it

}  // namespace supervisor
