// When to try again: Backoff for what ends before it was ready, Allowance for what ends afterwards. Pure:
// time and chance are arguments. The rules: docs/design.md, "Worker life".
#pragma once
#include <cstddef>

#include "runtime/clock.h"

namespace supervisor {

/// 0, 0.5 s, 1 s, 2 s ... 30 s, each +-20 %.
class Backoff {
 public:
  static constexpr runtime::Milliseconds kFirst{500};
  static constexpr runtime::Milliseconds kLongest{30'000};

  explicit Backoff(std::size_t failures = 0) : failures_(failures) {}

  /// One more failed start: how long to wait before the next. `chance` is from 0 to 1, 0.5 is the middle.
  runtime::Milliseconds next(double chance);
  /// It was ready.
  void reset() { failures_ = 0; }
  std::size_t failures() const { return failures_; }

 private:
  std::size_t failures_ = 0;  // in a row
};

/// At most 4 a second, 10 at once (a token bucket).
class Allowance {
 public:
  static constexpr std::size_t kBurst = 10;
  static constexpr runtime::Milliseconds kEach{250};

  /// As one that said spent_until().
  explicit Allowance(runtime::Time spent_until = {}) : spent_until_(spent_until) {}

  /// Takes one: how long to wait until it may be used; 0 while there are some.
  runtime::Milliseconds take(runtime::Time now);
  runtime::Time spent_until() const { return spent_until_; }

 private:
  runtime::Time spent_until_{};  // takes so far are paid for up to here; a burst may run ahead of now
};

/// True for the 1st, 2nd, 4th, 8th ... time: what is said once in full, and then once per doubling.
constexpr bool is_worth_saying(std::size_t count) {
  return count != 0 && (count & (count - 1)) == 0;
}

}  // namespace supervisor
