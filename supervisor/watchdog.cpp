#include "supervisor/watchdog.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "runtime/text.h"

namespace supervisor {
namespace {

using runtime::Milliseconds;

constexpr Milliseconds kShortestTurn{2000};  // twice what a thread lets pass between two signs of life
// Who has not turned is looked at again so soon: as soon as another front serves in the place of one that
// stood still, the service manager has to hear it.
constexpr Milliseconds kAgain{1000};
constexpr std::uint64_t kLongest =
    std::uint64_t{24} * 3600 * 1'000'000;  // microseconds: what is longer is as good as none

}  // namespace

std::optional<Milliseconds> watchdog_interval(const char* usec, const char* pid, pid_t self) {
  const auto period = runtime::parse_number(usec != nullptr ? usec : "");
  if (!period || *period < 2000 || *period > kLongest) return std::nullopt;
  if (pid != nullptr && runtime::parse_number(pid) != static_cast<std::uint64_t>(self)) return std::nullopt;
  return Milliseconds(*period / 2000);
}

bool may_feed(std::optional<runtime::Time> last_turn, runtime::Time now, Milliseconds interval) {
  return last_turn && now - *last_turn <= std::max(interval, kShortestTurn);
}

// The environment stays as it is, for the program that follows in our place; children have it without
// (environment.h).
Watchdog::Watchdog(runtime::Loop& loop, const ServiceNotify& service, const Front& front)
    : loop_(loop),
      service_(service),
      front_(front),
      interval_(watchdog_interval(std::getenv("WATCHDOG_USEC"), std::getenv("WATCHDOG_PID"), ::getpid())),
      next_(loop, runtime::bind<&Watchdog::look>(this)) {}

void Watchdog::begin() {
  if (interval_) look();
}

void Watchdog::look() {
  const bool is_fed = is_ending_ || may_feed(front_.last_turn(), loop_.now(), *interval_);
  if (is_fed) service_.say("WATCHDOG=1");
  next_.arm(is_fed ? *interval_ : std::min(*interval_, kAgain));
}

}  // namespace supervisor
