#include "supervisor/liveness.h"

#include <cstdint>
#include <utility>

#include "runtime/log.h"
#include "runtime/random.h"

namespace supervisor {

using runtime::Milliseconds;

Liveness::Liveness(Ask ask, const conf::App& app, const upstream::Worker& about, const upstream::Scoreboard& fronts,
                   runtime::Loop& loop)
    : ask_(ask), app_(app), about_(about), fronts_(fronts), timer_(loop, runtime::bind<&Liveness::on_due>(this)) {
  // Those that were started together are not all asked in the same moment.
  const auto first = static_cast<double>(app_.health.interval.count()) * runtime::random_unit();
  if (app_.health.interval != Milliseconds(0)) timer_.arm(Milliseconds(static_cast<Milliseconds::rep>(first)));
}

void Liveness::on_due() {
  if (is_full()) return timer_.arm(app_.health.interval);
  is_asked_ = true;
  ask_(upstream::Probe{about_, app_.health.path, static_cast<std::uint64_t>(app_.health.timeout.count())});
}

void Liveness::on_answer(const upstream::Probed& answer) {
  if (!std::exchange(is_asked_, false)) return;
  timer_.arm(app_.health.interval);
  if (answer.is_ready) {
    failures_ = 0;
  } else if (!is_full()) {
    ++failures_;
    if (failures_ == app_.health.failures) tell(answer.cause);
  }
}

void Liveness::tell(const std::string& cause) const {
  runtime::log(runtime::Level::kWarning, "a worker fails its health probes",
               {{"app", app_.name}, {"worker", about_.slot}, {"pid", about_.pid}, {"failures", failures_}, {"cause", cause}});
}

}  // namespace supervisor
