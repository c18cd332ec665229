// A worker from one program to the next: what is handed on, and what is made of it again. Its process notices
// nothing. What a worker does: worker.cpp.
#include <fmt/format.h>

#include "supervisor/group.h"
#include "supervisor/plan.h"
#include "supervisor/worker.h"

namespace supervisor {

saved::Worker Worker::save() const {
  saved::Worker saved{.generation = release_->generation,
                      .state = state_,
                      .start_failure = start_failure_,
                      .has_timed_out = has_timed_out_,
                      .had_been_ready = had_been_ready_,
                      .failures = backoff_.failures(),
                      .death = death_,
                      .asked_about = asked_about_,
                      .not_before = not_before_};
  if (deadline_.is_armed()) saved.deadline = deadline_.deadline();
  if (asked_about_ != 0) {
    saved.answers_due = answers_due_;
    saved.no_word = no_word_.deadline();
  }
  if (process_) saved.process = save_process();
  return saved;
}

saved::Process Worker::save_process() const {
  const Process& process = *process_;
  saved::Process saved{.about = process.about,
                       .has_row = process.has_row,
                       .started = process.started,
                       .begun = process.begun,
                       .ready_since = process.ready_since,
                       .kills_before = process.kills_before,
                       .limits = process.limits,
                       .looks_above = process.looks_above,
                       .first_held = process.first_held,
                       .is_spent = process.is_spent,
                       .was_ready = process.was_ready,
                       .is_probed = process.is_probed,
                       .probe_cause = process.probe_cause};
  if (process.socket) saved.socket = process.socket->save();
  if (process.notify) saved.notify = process.notify->save();
  if (process.output) saved.output = process.output->save();
  if (process.child) saved.child = process.child->save();
  if (process.stuck) {
    saved.stacks = process.stuck->save_stacks();
    saved.stuck = process.stuck->save();
  }
  return saved;
}

Worker::Worker(Herd& herd, Group& group, ReleaseRef release, upstream::AppIndex index, std::uint32_t slot,
               const saved::Worker& saved)
    : Worker(herd, group, std::move(release), index, slot) {
  state_ = saved.state;
  start_failure_ = saved.start_failure;
  has_timed_out_ = saved.has_timed_out;
  had_been_ready_ = saved.had_been_ready;
  backoff_ = Backoff(saved.failures);
  death_ = saved.death;
  asked_about_ = saved.asked_about;
  answers_due_ = saved.answers_due;
  if (saved.no_word) no_word_.arm_at(*saved.no_word);
  not_before_ = saved.not_before;
  if (saved.deadline) deadline_.arm_at(*saved.deadline);
  hold_zygote();
  if (saved.process) adopt_process(*saved.process);
}

void Worker::adopt_process(const saved::Process& saved) {
  runtime::Loop& loop = herd_.reaper.loop();
  process_ = std::make_unique<Process>(saved.begun);
  Process& process = *process_;
  process.about = saved.about;
  process.has_row = saved.has_row;
  process.started = saved.started;
  process.begun = saved.begun;
  process.ready_since = saved.ready_since;
  process.kills_before = saved.kills_before;
  process.limits = saved.limits;
  process.looks_above = saved.looks_above;
  process.first_held = saved.first_held;
  process.is_spent = saved.is_spent;
  process.was_ready = saved.was_ready;
  process.is_probed = saved.is_probed;
  process.probe_cause = saved.probe_cause;
  if (saved.socket) process.socket = std::make_unique<WorkerSocket>(*saved.socket);
  if (saved.notify) {
    process.notify = std::make_unique<NotifySocket>(loop, saved::take(saved.notify->fd), saved.notify->path,
                                                    runtime::bind<&Worker::on_notified>(this));
  }
  if (saved.output) {
    process.output =
        std::make_unique<Output>(loop, herd_.output, mark(), *saved.output);
  }
  // Whoever was being forked ends: nobody told it to go on.
  if (!saved.child && start_failure_.empty()) return give_up_start("it was about to be forked when Portherd was upgraded");
  if (!saved.child) return;
  process.child = std::make_unique<Child>(herd_.reaper, *saved.child, runtime::bind<&Worker::on_exited>(this));
  process.stuck = std::make_unique<StuckExchanges>(herd_.front, app_, process.about, *process.child, loop,
                                                   saved::take(saved.stacks));
  process.stuck->adopt(saved.stuck);
  if (state_ == State::kReady && !is_service_) watch_liveness();
  if (state_ == State::kStarting && !is_service_) on_admission();
}

}  // namespace supervisor
