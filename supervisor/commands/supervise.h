// What `run` and `serve` have in common once they have settings: our own program for the front, and a
// supervisor. The same for a program that goes on in the place of another (adopt.cpp).
#pragma once
#include <memory>
#include <string>

#include "conf/settings.h"
#include "runtime/result.h"
#include "supervisor/supervisor.h"

namespace supervisor {

/// Until told to stop: the exit status.
int supervise(conf::Settings settings, bool is_run);

/// `text`, `refused`: as they were handed over (handover.h). Errors: we cannot go on; nothing has been taken.
runtime::Result<std::unique_ptr<Supervisor>> adopt(const std::string& text, const std::string& refused);

}  // namespace supervisor
