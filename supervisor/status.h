// What `status --json` says: what the supervisor knows and the scoreboards count, as JSON (docs/design.md,
// "status --json"). Nothing is asked of the front. The table for people, which is made of it: status_table.h.
#pragma once
#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "supervisor/group.h"
#include "supervisor/listeners.h"
#include "supervisor/samples.h"
#include "upstream/scoreboard.h"

namespace supervisor {

struct StatusSources {
  pid_t front = 0;  ///< 0: none runs
  const Listeners& listeners;
  const std::vector<std::unique_ptr<Group>>& groups;
  const upstream::Scoreboard& fronts;
  const Samples& samples;
};

/// One line, without its end.
std::string status_json(const StatusSources& sources);

}  // namespace supervisor
