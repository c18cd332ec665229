#include "proxy/tally.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace proxy {
namespace {

using upstream::count;
using upstream::Figure;
using upstream::Refused;

constexpr std::array<std::pair<Outcome, Refused>, 9> kRefusals{{{kMaintenance, Refused::kMaintenance},
                                                                {kStopped, Refused::kStopped},
                                                                {kQueueFull, Refused::kQueueFull},
                                                                {kQueueTimeout, Refused::kQueueTimeout},
                                                                {kNotBooted, Refused::kNotBooted},
                                                                {kTooManyFiles, Refused::kTooManyFiles},
                                                                {kTooManySpooled, Refused::kSpool},
                                                                {kSpoolFull, Refused::kSpool},
                                                                {kNotSpooled, Refused::kSpool}}};

void observe(upstream::Histogram<Figure>& histogram, runtime::Microseconds time) {
  const auto bound = std::ranges::lower_bound(upstream::kBounds, time);
  count(histogram.bucket[static_cast<std::size_t>(bound - upstream::kBounds.begin())]);
  count(histogram.sum, static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0)));
}

void tally_outcome(const AccessEvent& event, upstream::AppCounts<Figure>& row) {
  if (event.outcome.fault == Fault::kApp || event.outcome.fault == Fault::kUs) count(row.failed);
  if (event.outcome == kClientGone) count(row.abandoned);
  const auto refusal = std::ranges::find(kRefusals, event.outcome, &std::pair<Outcome, Refused>::first);
  if (refusal != kRefusals.end()) count(row.refused[static_cast<std::size_t>(refusal->second)]);
}

}  // namespace

void tally(const AccessEvent& event, upstream::AppCounts<Figure>& row) {
  count(row.by_status[std::min<std::size_t>(event.status, upstream::kStatuses - 1)]);
  observe(row.duration, event.total);
  if (event.first_byte.count() >= 0) observe(row.first_byte, event.first_byte);
  // Who waited in vain has waited longest. Others who never got a worker may not have wanted one.
  if (event.attempts > 0 || event.outcome == kQueueTimeout) observe(row.queue_wait, event.queue);
  if (event.attempts > 1) count(row.retried, event.attempts - 1);
  if (event.outcome != kOk) return tally_outcome(event, row);
  if (event.worker != 0) count(row.served);
}

}  // namespace proxy
