// The log files, opened here because the front may not: opened at start, and again on USR1 for whoever
// rotates them. We never rename or delete them. Lines are written by runtime/log.h; access events by the
// front.
#pragma once
#include <vector>

#include "conf/settings.h"
#include "runtime/fd.h"
#include "runtime/result.h"

namespace supervisor {

/// For upstream::Logs: the error log, and the access log if it is on. A log without a path is our stderr.
struct LogFiles {
  runtime::Fd error;
  runtime::Fd access;  ///< empty: off
};
/// Never waits, now or when something is written. Errors, kSystem: one cannot be opened, or is a FIFO that nobody reads.
runtime::Result<LogFiles> open_logs(const conf::Log& settings);

/// A second descriptor of each, to be passed on.
std::vector<runtime::Fd> duplicates(const LogFiles& files);

/// Our own lines, those of that level and above, go to the error log from now on.
void write_to(const LogFiles& files, conf::LogLevel level);

}  // namespace supervisor
