#include "supervisor/retire.h"

namespace supervisor::retire {

Verdict verdict(const Facts& facts, runtime::Time now) {
  const auto stuck_until = facts.stuck_since ? std::optional(*facts.stuck_since + facts.graceful_timeout) : std::nullopt;
  if (stuck_until && *stuck_until <= now) return {.why = Why::kStuck};
  if (facts.is_of_another_release) return {.why = Why::kRelease};
  return {.look_again = stuck_until};
}

}  // namespace supervisor::retire
