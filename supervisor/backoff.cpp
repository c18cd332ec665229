#include "supervisor/backoff.h"

#include <algorithm>

namespace supervisor {

using runtime::Milliseconds;
using runtime::Time;

Milliseconds Backoff::next(double chance) {
  constexpr double kJitter = 0.2;
  constexpr std::size_t kMostDoublings = 6;  // 0.5 s << 6 is past 30 s
  const std::size_t failure = failures_++;
  if (failure == 0) return Milliseconds(0);
  const Milliseconds middle = std::min(kLongest, kFirst * (1 << std::min(failure - 1, kMostDoublings)));
  const double factor = 1 - kJitter + 2 * kJitter * chance;
  return Milliseconds(static_cast<Milliseconds::rep>(static_cast<double>(middle.count()) * factor));
}

Milliseconds Allowance::take(Time now) {
  // Unused ones are kept up to a burst: the account never lies further back than that.
  spent_until_ = std::max(spent_until_, now - kEach * static_cast<int>(kBurst)) + kEach;
  if (spent_until_ <= now) return Milliseconds(0);
  return std::chrono::ceil<Milliseconds>(spent_until_ - now);
}

}  // namespace supervisor
