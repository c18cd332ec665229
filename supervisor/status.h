// What `status` says: from what the supervisor knows and the scoreboard counts to JSON (docs/design.md,
// "status --json"), and from JSON to a table for people. Nothing is asked of the front.
#pragma once
#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "supervisor/group.h"
#include "supervisor/listeners.h"
#include "upstream/scoreboard.h"

namespace supervisor {

struct StatusSources {
  pid_t front = 0;  ///< 0: none runs
  const Listeners& listeners;
  const std::vector<std::unique_ptr<Group>>& groups;
  const upstream::Scoreboard& fronts;
};

/// One line, without its end.
std::string status_json(const StatusSources& sources);

/// A table of at most 80 columns. `json` is what status_json() made, from another process: not trusted to be
/// so.
std::string status_table(std::string_view json);
/// Every worker of every app is ready.
bool is_all_ready(std::string_view json);
/// Indented, for people and programs.
std::string status_pretty(std::string_view json);

}  // namespace supervisor
