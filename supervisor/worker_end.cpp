// The end of a worker's process, from its exit to the last word on it: what was it, who hears of it, what is
// written down. The end of one that served, and that nobody had asked for, is told when the front has said what it
// had in flight. Read from top to bottom.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/log.h"
#include "supervisor/group.h"

namespace supervisor {

using runtime::Level;
using runtime::log;
using runtime::Milliseconds;

namespace {

// A front that does not answer for so long has ended, or is frozen and about to be replaced.
constexpr Milliseconds kWordWithin{10'000};

}  // namespace

Worker::~Worker() {
  tell_death();
}

void Worker::reap() {
  admission_.cancel();
  tell_death();
  if (process_->output) process_->output->finish();
  if (process_->stuck) process_->stuck->finish();
  death_ = certificate(exit_facts());
  if (death_.reason == upstream::ExitReason::kOutOfMemory)
    herd_.explained_kills = with_one_more(herd_.explained_kills, process_->kills_before, runtime::oom_kills());
  const bool has_been = process_->child != nullptr;
  if (has_been && !is_service_) herd_.front.tell(upstream::Ended{index_, process_->about.id, process_->child->sent() == 0});
  had_been_ready_ = process_->was_ready;
  if (is_failed_boot()) group_.on_boot_failed(*this);
  tell_end();
  group_.on_exited(*this, death_.reason);
  if (process_->has_row) herd_.rows.give_back(process_->about.row);
  // Perhaps we are in a call from one of its parts.
  herd_.reaper.loop().bury(std::move(process_));
}

ExitFacts Worker::exit_facts() const {
  const runtime::OomKills kills = unexplained(runtime::oom_kills(), process_->kills_before, herd_.explained_kills);
  return {.sent_by_us = process_->child ? process_->child->sent() : 0,
          .asked_by_us = process_->child ? process_->child->asked() : 0,
          .cgroup_oom_rose = kills.in_cgroup > 0,
          .machine_oom_rose = kills.on_machine > 0,
          .was_timeout = has_timed_out_};
}

DeathCertificate Worker::certificate(const ExitFacts& around) const {
  DeathCertificate death{.cause = cause(around), .reason = reason(around), .pid = process_->about.pid};
  if (process_->output) death.last_lines = process_->output->last_lines();
  if (!process_->child) return death;
  death.age = std::chrono::duration_cast<Milliseconds>(herd_.reaper.loop().now() - process_->begun);
  death.served = herd_.rows[process_->about.row].served;
  death.peak_memory = process_->child->peak_memory();
  return death;
}

std::string Worker::cause(const ExitFacts& around) const {
  if (!start_failure_.empty()) return start_failure_;
  const Child& child = *process_->child;
  if (child.failure()) return child.failure()->text();
  std::string words = describe(exit_, around);
  // Nothing else tells why: the probes' answers are no lines of the worker.
  if (has_timed_out_ && process_->is_probed)
    words += fmt::format("; its last probe: {}", process_->probe_cause.empty() ? "no answer" : process_->probe_cause);
  return words + process_->wrapper;
}

upstream::ExitReason Worker::reason(const ExitFacts& around) const {
  const bool has_run = start_failure_.empty() && !process_->child->failure();
  return has_run ? reason_of(exit_, around) : upstream::ExitReason::kNotStarted;
}

bool Worker::is_failed_boot() const {
  return !process_->was_ready && (from_ == State::kStarting || has_timed_out_) && !group_.is_stopping();
}

bool Worker::is_unexpected() const {
  return from_ == State::kReady && process_->child->sent() == 0 && !group_.is_stopping();
}

void Worker::tell_end() {
  if (is_unexpected()) return ask_about(process_->about.id, is_service_ ? 0 : herd_.front.count());
  if (!is_failed_boot()) {
    return log(Level::kInfo, "worker has ended",
               {{"app", app_.name},
                {"worker", slot_},
                {"pid", death_.pid},
                {"exit", death_.cause},
                {"uptime", lived(death_)},
                {"served", death_.served},
                {"peak", peak(death_)}});
  }
  log(group_.is_worth_saying_now() ? Level::kError : Level::kDebug, "worker did not become ready",
      {{"app", app_.name},
       {"worker", slot_},
       {"pid", death_.pid},
       {"exit", death_.cause},
       {"journey", process_->journey.text()},
       {"failures", group_.failures()},
       {"peak", peak(death_)},
       {"output", output_of(death_)}});
}

// In `run` its lines stand just above, as it wrote them.
std::string Worker::output_of(const DeathCertificate& death) const {
  return herd_.is_run ? "" : fmt::format("{}", fmt::join(death.last_lines, "\n"));
}

// Ended was the question, to each front that there is.
void Worker::ask_about(upstream::WorkerId id, std::size_t answers) {
  asked_about_ = id;
  answers_due_ = answers;
  deaths_alike_ = group_.crash_loop().note(death_.cause, herd_.reaper.loop().now());
  if (answers_due_ == 0) return tell_death();
  no_word_.arm(kWordWithin);
}

void Worker::on_lost(const upstream::Lost& told) {
  if (asked_about_ == 0 || told.worker != asked_about_) return;
  add(death_, told);
  if (--answers_due_ == 0) tell_death();
}

// With what there is, if a front does not answer: it has ended itself, or we have.
void Worker::tell_death() {
  no_word_.cancel();
  if (std::exchange(asked_about_, 0) == 0) return;
  if (deaths_alike_ > CrashLoop::kInFull) return tell_one_more();
  log(Level::kWarning, "worker has ended unexpectedly",
      {{"app", app_.name},
       {"worker", slot_},
       {"pid", death_.pid},
       {"exit", death_.cause},
       {"uptime", lived(death_)},
       {"served", death_.served},
       {"peak", peak(death_)},
       {"in_flight", death_.in_flight ? fmt::format("{}", death_.in_flight->requests) : is_service_ ? "0" : "unknown"},
       {"ages", death_.in_flight ? ages(*death_.in_flight) : ""},
       {"output", output_of(death_)}});
}

// What is new of it is that it goes on. All that is known of this one is in `status APP`.
void Worker::tell_one_more() const {
  log(is_worth_saying(deaths_alike_) ? Level::kWarning : Level::kDebug, "worker ends unexpectedly again and again",
      {{"app", app_.name},
       {"worker", slot_},
       {"pid", death_.pid},
       {"exit", death_.cause},
       {"uptime", lived(death_)},
       {"in_a_row", deaths_alike_}});
}

}  // namespace supervisor
