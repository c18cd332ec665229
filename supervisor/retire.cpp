#include "supervisor/retire.h"

#include <algorithm>

namespace supervisor::retire {
namespace {

using runtime::Milliseconds;
using runtime::Time;

// An empty one is never.
std::optional<Time> earlier(std::optional<Time> a, std::optional<Time> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

bool is_over(std::optional<Time> end, Time now) {
  return end && *end <= now;
}

}  // namespace

Limits draw_limits(const conf::App& app, double chance_of_requests, double chance_of_age) {
  constexpr double kAgeJitter = 0.1;
  Limits limits;
  if (app.max_requests != 0) {
    const auto more = static_cast<double>(app.max_requests_jitter + 1) * chance_of_requests;
    limits.requests = app.max_requests + static_cast<std::uint64_t>(more);
  }
  const auto less = static_cast<double>(app.max_age.count()) * kAgeJitter * chance_of_age;
  limits.age = app.max_age - Milliseconds(static_cast<Milliseconds::rep>(less));
  return limits;
}

Verdict verdict(const Facts& facts, Time now) {
  const auto stuck_until =
      facts.stuck_since ? std::optional(*facts.stuck_since + facts.graceful_timeout) : std::nullopt;
  if (is_over(stuck_until, now)) return {.why = Why::kStuck};
  if (facts.is_unwell) return {.why = Why::kUnwell};
  if (facts.is_of_another_release) return {.why = Why::kRelease};
  const auto spared_until = facts.looks_above >= kLooks ? facts.spared_until : std::nullopt;
  if (facts.looks_above >= kLooks && (!spared_until || *spared_until <= now)) return {.why = Why::kMemory};
  if (facts.is_spent) return {.why = Why::kRequests};
  if (is_over(facts.old_at, now)) return {.why = Why::kAge};
  return {.look_again = earlier(spared_until, earlier(stuck_until, facts.old_at))};
}

bool may_replace(Why why, const Room& room) {
  if (room.extras == 0) return true;
  const bool is_urgent = why == Why::kStuck || why == Why::kUnwell || why == Why::kRelease;
  return is_urgent && room.extras < room.max_surge && room.available >= room.one_worker * (room.coming + 1);
}

}  // namespace supervisor::retire
