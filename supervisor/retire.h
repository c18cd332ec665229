// Whether a worker that serves is to be replaced, and why. Pure: facts and the time in, a verdict out. How it
// is replaced: group_replace.cpp. Who gathers the facts: worker.h. The rules: docs/design.md, "The clocks".
#pragma once
#include <optional>
#include <string_view>

#include "runtime/clock.h"

namespace supervisor::retire {

/// The most urgent first.
enum class Why {
  kStuck,    ///< a request that is out of time has not given its slot back within graceful_timeout
  kRelease,  ///< it is not of the release that is wanted
};

/// For the log.
constexpr std::string_view name(Why why) {
  switch (why) {
    case Why::kStuck:
      return "stuck";
    case Why::kRelease:
      return "release";
  }
  return "";
}

struct Facts {
  bool is_of_another_release = false;
  std::optional<runtime::Time>
      stuck_since;  ///< of the request that has been stuck for longest; empty: none is
  runtime::Milliseconds graceful_timeout{};
};

struct Verdict {
  std::optional<Why> why;                   ///< empty: it stays
  std::optional<runtime::Time> look_again;  ///< when time alone may have changed that
  bool operator==(const Verdict&) const = default;
};

Verdict verdict(const Facts& facts, runtime::Time now);

}  // namespace supervisor::retire
