// What `run` and `serve` have in common once they have settings: our own program for the front, and a
// supervisor.
#pragma once
#include "conf/settings.h"

namespace supervisor {

/// Until told to stop: the exit status.
int supervise(conf::Settings settings, bool is_run);

}  // namespace supervisor
