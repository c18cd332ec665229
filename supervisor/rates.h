// How an app does right now: requests a second and their 95th percentile, from what its counters were a few
// seconds ago. Pure: snapshots of counters in, rates out. Who takes them: samples.h.
#pragma once
#include <array>
#include <cstddef>
#include <optional>

#include "runtime/clock.h"
#include "upstream/figures.h"

namespace supervisor {

using Durations = upstream::Histogram<std::uint64_t>;

/// The time below which `share` (0 to 1) of what the histogram counts lies, by linear interpolation inside
/// its bucket, as Prometheus' histogram_quantile() does it; the last bound for what lies above it. Nothing:
/// it counts nothing.
std::optional<runtime::Microseconds> quantile(const Durations& durations, double share);

class Rates {
 public:
  /// Snapshots of a second each, so the rates are those of the last so many seconds.
  static constexpr std::size_t kWindow = 10;

  /// What the counters are at `now`; in order of time.
  void add(runtime::Time now, const Durations& durations);

  /// 0 with fewer than two snapshots.
  double requests_per_second() const;
  /// Nothing: no request has ended within the window.
  std::optional<runtime::Microseconds> p95() const;

 private:
  struct Snapshot {
    runtime::Time time{};
    Durations durations;
  };
  const Snapshot& newest() const { return ring_[(added_ - 1) % ring_.size()]; }
  const Snapshot& oldest() const { return ring_[added_ < ring_.size() ? 0 : added_ % ring_.size()]; }
  Durations within_window() const;

  std::array<Snapshot, kWindow + 1> ring_;
  std::size_t added_ = 0;  // ever
};

}  // namespace supervisor
