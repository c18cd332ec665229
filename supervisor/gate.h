// By which orders an app's gate (upstream/app_state.h) is opened and closed, and which others it lets through: a table. Pure.
// Who performs it: group_gate.cpp.
#pragma once
#include <string_view>

#include "runtime/result.h"
#include "upstream/app_state.h"

namespace supervisor {

/// The orders, as the command line has them.
enum class Turn { kPause, kResume, kMaintenanceOn, kMaintenanceOff, kStop, kStart, kRestart, kRollback, kScale };

/// What the gate is after it. Errors, kConfig: the order does not fit, why, and what would.
runtime::Result<upstream::Gate> gate_after(upstream::Gate now, Turn turn, std::string_view app);

}  // namespace supervisor
