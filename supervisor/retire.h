// Whether a worker that serves is to be replaced, and why; and whether that may be now. Pure: facts and the time
// in, a verdict out. How it is replaced: group_replace.cpp. Who gathers the facts: worker.h. The rules:
// docs/design.md, "The clocks" and "Worker life".
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "conf/settings.h"
#include "runtime/bytes.h"
#include "runtime/clock.h"

namespace supervisor::retire {

/// The most urgent first.
enum class Why {
  kStuck,     ///< a request that is out of time has not given its slot back within graceful_timeout
  kUnwell,    ///< it has failed health.failures probes in a row
  kRelease,   ///< it is not of the release that is wanted
  kMemory,    ///< it holds more than max_memory
  kRequests,  ///< it has had its max_requests
  kAge,       ///< it is as old as max_age allows
};

/// For the log.
constexpr std::string_view name(Why why) {
  switch (why) {
    case Why::kStuck:
      return "stuck";
    case Why::kUnwell:
      return "health";
    case Why::kRelease:
      return "release";
    case Why::kMemory:
      return "max_memory";
    case Why::kRequests:
      return "max_requests";
    case Why::kAge:
      return "max_age";
  }
  return "";
}

/// How long a process may serve: drawn once, at its start, so that those that were started together do not go
/// together. 0: as long as it likes.
struct Limits {
  std::uint64_t requests = 0;
  runtime::Milliseconds age{0};
};
/// max_requests and up to max_requests_jitter more; max_age less a tenth at most. The chances are from 0 up to 1.
Limits draw_limits(const conf::App& app, double chance_of_requests, double chance_of_age);

/// So many looks at its memory in a row have to find too much: one alone may be a single large request.
inline constexpr std::size_t kLooks = 3;

struct Facts {
  bool is_of_another_release = false;
  std::optional<runtime::Time>
      stuck_since;  ///< of the request that has been stuck for longest; empty: none is
  runtime::Milliseconds graceful_timeout{};
  bool is_unwell = false;       ///< see liveness.h
  std::size_t looks_above = 0;  ///< the last so many looks found more than max_memory
  /// It was too large as soon as it was ready, and so will the next one be: it stays so long; empty: no longer.
  std::optional<runtime::Time> spared_until = {};
  bool is_spent = false;        ///< it has had its requests
  std::optional<runtime::Time> old_at;  ///< when it is too old; empty: never
};

struct Verdict {
  std::optional<Why> why;                   ///< empty: it stays
  std::optional<runtime::Time> look_again;  ///< when time alone may have changed that
  bool operator==(const Verdict&) const = default;
};

Verdict verdict(const Facts& facts, runtime::Time now);

/// What may_replace() looks at. Extras are an app's processes beside those that are wanted.
struct Room {
  std::size_t extras = 0;         ///< now, whether they come or go
  std::size_t coming = 0;         ///< of those: not ready yet, so that they do not hold all of their memory
  std::size_t max_surge = 1;      ///< of the app
  runtime::Bytes available = 0;   ///< memory that we may still take
  runtime::Bytes one_worker = 0;  ///< memory of the app's largest worker
};

/// Whether one more worker may be replaced now. The first always, also where memory is short: without it requests
/// would fail for certain. Of those beyond it memory must hold one each, and recycling is in no hurry: it waits.
bool may_replace(Why why, const Room& room);

}  // namespace supervisor::retire
