#include "supervisor/retire.h"

namespace supervisor::retire {

Verdict verdict(const Facts& facts, runtime::Time now) {
  if (!facts.stuck_since) return {};
  const runtime::Time due = *facts.stuck_since + facts.graceful_timeout;
  if (now < due) return {.look_again = due};
  return {.why = Why::kStuck};
}

}  // namespace supervisor::retire
