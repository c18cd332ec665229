// One start of a worker as steps with their time: what is told when it took long or failed. Pure but for the
// clock given.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "runtime/clock.h"

namespace supervisor {

class Journey {
 public:
  explicit Journey(runtime::Time begun) : begun_(begun) {}

  /// `step` is a literal: "spawned", "notified", "ready".
  void note(std::string_view step, runtime::Time now) { steps_.push_back({step, now}); }
  /// "spawned +2ms, ready +412ms": milliseconds since the beginning.
  std::string text() const;
  runtime::Milliseconds since_begun(runtime::Time now) const {
    return std::chrono::duration_cast<runtime::Milliseconds>(now - begun_);
  }

 private:
  struct Step {
    std::string_view name;
    runtime::Time at;
  };
  runtime::Time begun_;
  std::vector<Step> steps_;  // a handful
};

}  // namespace supervisor
