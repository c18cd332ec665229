// What `status --json` says: what the supervisor knows and the scoreboards count, as JSON (docs/design.md,
// "status --json"). Nothing is asked of the front. The table for people, which is made of it: status_table.h.
#pragma once
#include <sys/types.h>

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "supervisor/group.h"
#include "supervisor/listeners.h"
#include "supervisor/reload.h"
#include "supervisor/samples.h"
#include "supervisor/tail.h"
#include "upstream/orders.h"
#include "upstream/scoreboard.h"

namespace supervisor {

struct StatusSources {
  pid_t front = 0;  ///< 0: none runs
  const upstream::Started* front_said;  ///< null: it does not accept yet
  const Listeners& listeners;
  const std::vector<std::unique_ptr<Group>>& groups;
  const upstream::Scoreboard& fronts;
  const Samples& samples;
  const Reload& reload;
};

/// Of all; `only`, unless null, is the one app that it is to be about: with what that printed last, `tail`.
nlohmann::ordered_json status_json(const StatusSources& sources, const Group* only, const Tail* tail);

}  // namespace supervisor
