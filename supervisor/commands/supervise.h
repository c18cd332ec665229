// What `run` and `serve` have in common once they have settings: our own program for the front, and a
// supervisor.
#pragma once
#include "conf/settings.h"
#include "supervisor/ground.h"

namespace supervisor {

/// Until told to stop: the exit status. `load`: reads the settings again; empty: they came from no file.
int supervise(conf::Settings settings, bool is_run, Reread load);

}  // namespace supervisor
