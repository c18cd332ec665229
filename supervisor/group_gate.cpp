// Between an app's clients and its workers, by order of the operator: paused, down for maintenance, stopped
// (docs/design.md, "Orders at run time"). Which order fits when: gate.h. The front obeys by AppState, which a
// new front is told, too.
#include <fmt/format.h>

#include "runtime/log.h"
#include "supervisor/group.h"

namespace supervisor {

using runtime::Code;
using runtime::fail;
using runtime::Result;
using upstream::Gate;

Result<void> Group::turn(Turn turn, std::string notice) {
  TRY(const Gate next, gate_after(gate_, turn, app().name));
  pause_.cancel();
  notice_ = std::move(notice);
  runtime::log(runtime::Level::kInfo, "an app's gate is another one, by order",
               {{"app", app().name},
                {"before", upstream::kGates[static_cast<std::size_t>(gate_)]},
                {"now", upstream::kGates[static_cast<std::size_t>(next)]}});
  gate_ = next;
  if (sleeps()) {
    fall_asleep();
  } else {
    tell_state();
  }
  look();
  return {};
}

Result<void> Group::pause(runtime::Milliseconds at_most) {
  TRY_VOID(turn(Turn::kPause));
  pause_.arm(at_most);
  return {};
}

void Group::on_pause_over() {
  runtime::log(runtime::Level::kWarning, "a pause has taken as long as it may: its requests go on",
               {{"app", app().name}});
  [[maybe_unused]] const auto resumed = turn(Turn::kResume);
}

Result<void> Group::resume() {
  return turn(Turn::kResume);
}

Result<void> Group::begin_maintenance(std::string notice) {
  if (notice.empty()) notice = "This service is down for maintenance. Please come back a little later.";
  return turn(Turn::kMaintenanceOn, std::move(notice));
}

Result<void> Group::end_maintenance() {
  return turn(Turn::kMaintenanceOff);
}

Result<void> Group::switch_off(Gone on_gone) {
  if (!app().has_processes() && services_.empty())
    return fail(Code::kConfig,
                fmt::format("app {} has no workers of ours to stop; `portherd maintenance on {}` keeps its "
                            "clients out",
                            app().name, app().name));
  TRY_VOID(turn(Turn::kStop, "This service has been stopped."));
  if (rollout_) end_release_unproven();
  when_gone_.push_back(std::move(on_gone));
  return {};
}

Result<void> Group::switch_on() {
  TRY_VOID(turn(Turn::kStart));
  for (const Gone& on_gone : std::exchange(when_gone_, {}))
    on_gone(fail(Code::kSystem, "it was started again"));
  return {};
}

void Group::tell_if_gone() {
  if (gate_ != Gate::kStopped || !is_stopped()) return;
  for (const Gone& on_gone : std::exchange(when_gone_, {})) on_gone({});
}

void Group::tell_state() {
  if (is_service()) return;
  herd_.front.tell(upstream::AppState{.app = index_,
                                      .can_wait = has_been_ready_ || failures_ == 0,
                                      .has_been_ready = has_been_ready_,
                                      .is_asleep = is_asleep_,
                                      .gate = gate_,
                                      .notice = notice_});
}

}  // namespace supervisor
