#include "supervisor/rates.h"

#include <chrono>

namespace supervisor {
namespace {

using runtime::Microseconds;

constexpr double kP95 = 0.95;

/// Counters do not fall; but they are a front's, and of what it says nothing may lead us astray.
std::uint64_t rise(std::uint64_t from, std::uint64_t to) {
  return to > from ? to - from : 0;
}

}  // namespace

std::optional<Microseconds> quantile(const Durations& durations, double share) {
  const double wanted = share * static_cast<double>(number_of(durations));
  double below = 0;
  Microseconds low{0};
  for (std::size_t i = 0; i < upstream::kBounds.size(); ++i) {
    const Microseconds high = upstream::kBounds[i];
    const auto here = static_cast<double>(durations.bucket[i]);
    if (here > 0 && below + here >= wanted) {
      const double part = (wanted - below) / here;
      return low + Microseconds(static_cast<std::int64_t>(part * static_cast<double>((high - low).count())));
    }
    below += here;
    low = high;
  }
  return durations.bucket.back() > 0 ? std::optional(low) : std::nullopt;
}

void Rates::add(runtime::Time now, const Durations& durations) {
  ring_[added_ % ring_.size()] = {now, durations};
  ++added_;
}

Durations Rates::within_window() const {
  Durations between;
  if (added_ < 2) return between;
  for (std::size_t i = 0; i < between.bucket.size(); ++i) {
    between.bucket[i] = rise(oldest().durations.bucket[i], newest().durations.bucket[i]);
  }
  return between;
}

double Rates::requests_per_second() const {
  if (added_ < 2) return 0;
  const std::chrono::duration<double> time = newest().time - oldest().time;
  return time.count() > 0 ? static_cast<double>(number_of(within_window())) / time.count() : 0;
}

std::optional<Microseconds> Rates::p95() const {
  return quantile(within_window(), kP95);
}

}  // namespace supervisor
