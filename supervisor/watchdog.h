// The service manager's watchdog (sd_watchdog_enabled(3)): it ends and starts all of us again unless it hears
// WATCHDOG=1 within WATCHDOG_USEC. It hears it twice as often, but only while every thread of the front that
// serves turns its loop: that the supervisor lives says nothing of those who serve.
#pragma once
#include <sys/types.h>

#include <optional>

#include "runtime/clock.h"
#include "runtime/loop.h"
#include "supervisor/front.h"
#include "supervisor/service_notify.h"

namespace supervisor {

/// How often it is to be told: half of `usec` (WATCHDOG_USEC), if that is meant for us, for `pid`
/// (WATCHDOG_PID) is not said or is `self`. Nothing: it is not asked for. Each may be null.
std::optional<runtime::Milliseconds> watchdog_interval(const char* usec, const char* pid, pid_t self);

/// Whether it may be told now. `last_turn`: of the thread that has not turned for longest; nothing: no front
/// serves. A thread that turns says so once a second, so one that said it less than 2 s ago counts, however
/// short the interval is.
bool may_feed(std::optional<runtime::Time> last_turn, runtime::Time now, runtime::Milliseconds interval);

class Watchdog {
 public:
  /// All outlive it.
  Watchdog(runtime::Loop& loop, const ServiceNotify& service, const Front& front);

  /// From now on, if the environment says that it is asked for.
  void begin();
  /// From now on whatever the front does, which is to end: the end has a clock of its own.
  void let_end() { is_ending_ = true; }

 private:
  void look();

  runtime::Loop& loop_;
  const ServiceNotify& service_;
  const Front& front_;
  const std::optional<runtime::Milliseconds> interval_;  // empty: nobody asked
  bool is_ending_ = false;
  runtime::Timer next_;
};

}  // namespace supervisor
