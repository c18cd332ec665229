// How much of something a client may do that leads nowhere: so much at once, so much a second. Pure.
#pragma once
#include <algorithm>

#include "runtime/clock.h"

namespace proxy {

class Budget {
 public:
  Budget(long at_once, long a_second) : most_(at_once), a_second_(a_second), left_(at_once) {}

  /// False: it is used up.
  bool spend(runtime::Time now, long n = 1) {
    if (refilled_ == runtime::Time()) refilled_ = now;
    if (left_ < n) refill(now);
    if (left_ < n) return false;
    left_ -= n;
    return true;
  }
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

  const long most_, a_second_;
  long left_;
  runtime::Time refilled_{};  // what has come since then is not in left_ yet
};

}  // namespace proxy
