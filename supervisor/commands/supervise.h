// What `run` and `serve` have in common once they have settings: our own program for the front, and a
// supervisor. The same for a program that goes on in the place of another (adopt.cpp).
#pragma once
#include <memory>
#include <string>

#include "conf/settings.h"
#include "runtime/result.h"
#include "supervisor/ground.h"
#include "supervisor/supervisor.h"

namespace supervisor {

/// Until told to stop: the exit status. `load`: reads the settings again; empty: they came from no file.
int supervise(conf::Settings settings, bool is_run, Reread load);

/// What their command lines say of where the settings come from; empty: from no file, or it says nothing.
Reread source_of_serve(int argc, char** argv);
Reread source_of_run(int argc, char** argv);

/// `text`, `refused`: as they were handed over (handover.h); `load`: as of supervise(). Errors: we cannot go on; nothing has been taken.
runtime::Result<std::unique_ptr<Supervisor>> adopt(const std::string& text, const std::string& refused, Reread load);

}  // namespace supervisor
