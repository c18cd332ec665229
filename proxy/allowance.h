// How much a client may do that leads nowhere: so much at once, so much a second. Pure.
#pragma once
#include <algorithm>

#include "runtime/clock.h"

namespace proxy {

class Allowance {
 public:
  Allowance(long at_once, long a_second) : most_(at_once), a_second_(a_second), left_(at_once) {}

  /// False: it does not suffice, and nothing is taken from it.
  bool spend(runtime::Time now, long n = 1) {
    if (!has(now, n)) return false;
    left_ -= n;
    return true;
  }
  bool has(runtime::Time now, long n = 1) {
    if (refilled_ == runtime::Time()) refilled_ = now;
    if (left_ < n) refill(now);
    return left_ >= n;
  }
  /// As if nothing had been spent for a long time.
  bool is_whole(runtime::Time now) { return has(now, most_); }
  void earn(long n) { left_ = std::min(most_, left_ + n); }

 private:
  void refill(runtime::Time now) {
    constexpr long kSecond = 1000;
    constexpr long kLongest = 3600 * kSecond;
    const long passed = std::chrono::duration_cast<runtime::Milliseconds>(now - refilled_).count();
    const long came = std::min(passed, kLongest) * a_second_ / kSecond;
    if (came == 0) return;
    left_ = std::min(most_, left_ + came);
    refilled_ = now;
  }

  long most_, a_second_;
  long left_;
  runtime::Time refilled_{};  // what has come since then is not in left_ yet
};

}  // namespace proxy
