#include "supervisor/front.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/log.h"
#include "runtime/random.h"

namespace supervisor {

using runtime::Code;
using runtime::fail;
using runtime::Level;
using runtime::log;
using runtime::Milliseconds;
using runtime::Result;

namespace {

Result<void> why_not_started(const FrontProcess& front) {
  const std::string& why = front.trouble().empty() ? front.cause() : front.trouble();
  return fail(Code::kSystem, fmt::format("the new front (pid {}) did not start: {}", front.pid(), why));
}

}  // namespace

Front::Front(FrontGround ground, FrontCalls calls)
    : ground_(std::move(ground)),
      loop_(ground_.reaper.loop()),
      calls_(calls),
      settle_(loop_, runtime::bind<&Front::settle>(this)),
      start_(loop_, runtime::bind<&Front::on_start_due>(this)),
      look_who_waits_(loop_, runtime::bind<&Front::look_who_waits>(this)),
      patience_(loop_, runtime::bind<&Front::on_patience_over>(this)) {}

// Trouble at the very first start: the operator is there to mend it.
Result<void> Front::start() {
  TRY(current_, start_one(/*is_strict=*/!was_started_, /*is_to_probe=*/true));
  return {};
}

Result<void> Front::replace(OnReplaced on_replaced) {
  if (is_draining_) return fail(Code::kSystem, "the front is not replaced: everything is ending");
  if (!was_started_) return fail(Code::kSystem, "the front is not replaced: the first one has not started yet");
  if (on_replaced_) return fail(Code::kSystem, "the front is being replaced already");
  if (on_changed_) return fail(Code::kSystem, "the front is not replaced: it takes over other settings just now");
  TRY(Process made, start_one(/*is_strict=*/true, /*is_to_probe=*/!current_));
  (current_ ? next_ : current_) = std::move(made);
  start_.cancel();
  on_replaced_ = std::move(on_replaced);
  return {};
}

Result<void> Front::may_change() const {
  if (is_draining_) return fail(Code::kSystem, "everything is ending");
  if (next_ || on_replaced_) return fail(Code::kSystem, "the front is being replaced just now; try again");
  if (on_changed_) return fail(Code::kSystem, "the front takes over other settings just now; try again");
  if (!current_ || !current_->is_started()) return fail(Code::kSystem, "no front serves just now; try again");
  return {};
}

Result<void> Front::change(const FrontChange& change, OnChanged on_changed) {
  TRY_VOID(may_change());
  TRY(version_, current_->change(change));
  change_.emplace(change);
  on_changed_ = std::move(on_changed);
  return {};
}

// One that is being started may have been told since its Begin, and accept before it has heard of that.
Result<void> Front::confirm(OnChanged on_obeyed) {
  if (!current_) return fail(Code::kSystem, "no front serves just now; try again");
  obeying_[current_->confirm()] = std::move(on_obeyed);
  return {};
}

Result<Front::Process> Front::start_one(bool is_strict, bool is_to_probe) {
  std::vector<upstream::Order> known = known_.roster();
  if (is_to_probe) std::ranges::copy(known_.probes(), std::back_inserter(known));
  return FrontProcess::start(ground_, known, is_strict, process_calls());
}

FrontProcessCalls Front::process_calls() {
  return {.on_started = runtime::bind<&Front::on_started>(this),
          .on_word = runtime::bind<&Front::on_word>(this),
          .on_ended = runtime::bind<&Front::on_ended>(this)};
}

// ---- from one program to the next ----

Result<void> Front::may_be_saved() const {
  if (is_draining_) return fail(Code::kSystem, "everything is ending");
  if (on_replaced_ || next_) return fail(Code::kSystem, "the front is being replaced; try again when that is done");
  if (!current_ || !current_->is_started()) return fail(Code::kSystem, "the front is being started; try again soon");
  if (draining_.size() > kMostDraining) return fail(Code::kSystem, "a front that was replaced is being cut; try again soon");
  if (std::ranges::all_of(living(), &FrontProcess::is_listening)) return {};
  return fail(Code::kSystem, "a front has not taken yet what it was told; try again soon");
}

saved::Front Front::save() const {
  saved::Front saved{.current = current_->save(), .spent_until = allowance_.spent_until()};
  for (const Process& process : draining_) saved.draining.push_back(process->save());
  for (const upstream::Order& order : known_.roster()) saved.known.push_back(upstream::encode(order));
  for (const upstream::Order& order : known_.probes()) saved.known.push_back(upstream::encode(order));
  for (const auto& [worker, app] : leaving_) saved.leaving.push_back({worker, app});
  return saved;
}

void Front::adopt(const saved::Front& saved) {
  was_started_ = true;
  current_ = FrontProcess::adopt(ground_, saved.current, process_calls());
  for (const saved::FrontProcess& one : saved.draining)
    draining_.push_back(FrontProcess::adopt(ground_, one, process_calls()));
  for (const std::string& order : saved.known) known_.note(*upstream::decode(order));
  for (const auto& [worker, app] : saved.leaving) leaving_[worker] = app;
  allowance_ = Allowance(saved.spent_until);
}

void Front::tell(const upstream::Order& order) {
  known_.note(order);
  if (const auto* unpublish = std::get_if<upstream::Unpublish>(&order)) {
    leaving_[unpublish->worker] = unpublish->app;
    settle_.schedule();
  }
  if (const auto* ended = std::get_if<upstream::Ended>(&order)) leaving_.erase(ended->worker);
  if (!std::holds_alternative<upstream::Probe>(order)) {
    for (FrontProcess* const process : living()) process->tell(order);
  } else if (current_) {
    current_->tell(order);
  }
}

void Front::tell_logs() {
  for (FrontProcess* const process : living()) process->tell_logs();
}

std::vector<FrontProcess*> Front::living() const {
  std::vector<FrontProcess*> all;
  for (const Process& process : draining_) all.push_back(process.get());
  if (current_) all.push_back(current_.get());
  if (next_) all.push_back(next_.get());
  return all;
}

bool Front::is_one(pid_t pid) const {
  return std::ranges::any_of(living(), [pid](const FrontProcess* process) { return process->pid() == pid; });
}

// ---- from the processes ----

void Front::on_started(FrontProcess& process) {
  backoff_.reset();
  was_started_ = true;
  tell_what_is_missing(process.said().unfenced);
  if (is_draining_) return;
  if (&process == next_.get()) hand_over();
  if (&process != current_.get()) return;
  calls_.on_started();
  if (!next_) end_replacing({});
  look_who_waits_.schedule();
}

// Once, for the next one will lack the same.
void Front::tell_what_is_missing(const std::string& unfenced) {
  if (std::exchange(unfenced_, unfenced) == unfenced || unfenced.empty()) return;
  log(Level::kWarning, "the front is not fenced in as it could be; it serves all the same", {{"missing", unfenced}});
}

void Front::hand_over() {
  log(Level::kInfo, "the front has been replaced: the old one drains", {{"pid", next_->pid()}, {"old", current_->pid()}});
  draining_.push_back(std::exchange(current_, std::move(next_)));
  draining_.back()->drain();
  ask_again();
  if (draining_.size() > kMostDraining) draining_.front()->drain_at_once();
  tell_probes();
}

void Front::tell_probes() {
  for (const upstream::Order& probe : known_.probes()) current_->tell(probe);
}

void Front::on_word(FrontProcess& process, const upstream::Order& order) {
  if (const auto* changed = std::get_if<upstream::Changed>(&order)) {
    on_changed(process, *changed);
  } else if (const auto* probed = std::get_if<upstream::Probed>(&order)) {
    if (&process != current_.get()) return;
    known_.note(*probed);
    calls_.on_probed(*probed);
  } else if (std::holds_alternative<upstream::Drained>(order)) {
    settle_.schedule();
  } else if (const auto* stuck = std::get_if<upstream::Stuck>(&order)) {
    calls_.on_stuck(*stuck);
  } else if (const auto* unstuck = std::get_if<upstream::Unstuck>(&order)) {
    calls_.on_unstuck(*unstuck);
  } else if (const auto* spent = std::get_if<upstream::Spent>(&order)) {
    calls_.on_spent(*spent);
  } else if (const auto* lost = std::get_if<upstream::Lost>(&order)) {
    calls_.on_lost(*lost);
  } else if (const auto* wanted = std::get_if<upstream::Wanted>(&order)) {
    calls_.on_wanted(*wanted);
  }
}

void Front::settle() {
  const std::vector<FrontProcess*> all = living();
  std::vector<upstream::Drained> drained;
  std::erase_if(leaving_, [&](const auto& one) {
    if (std::ranges::any_of(all, [&](const FrontProcess* process) { return process->owes(one.first); })) return false;
    drained.push_back({one.second, one.first});
    return true;
  });
  for (const upstream::Drained& one : drained) calls_.on_drained(one);
}

void Front::on_ended(FrontProcess& process) {
  const bool was_current = &process == current_.get();
  const bool was_next = &process == next_.get();
  Process ended = take(process);
  settle_.schedule();
  for (const upstream::Unstuck& unstuck : ended->stuck()) calls_.on_unstuck(unstuck);
  for (const upstream::Lost& lost : ended->unanswered()) calls_.on_lost(lost);
  if (is_draining_ || !(was_current || was_next)) {
    log(Level::kInfo, "the front has ended", {{"pid", ended->pid()}, {"exit", ended->cause()}});
    if (is_draining_ && living().empty()) {
      end_replacing(fail(Code::kSystem, "the front is not replaced: everything is ending"));
      end_changing(fail(Code::kSystem, "everything is ending"));
      end_obeying();
      calls_.on_gone(true);
    }
  } else if (was_next) {
    log(Level::kError, "the new front has ended before it could start: the old one serves on",
        {{"pid", ended->pid()}, {"exit", ended->cause()}});
    end_replacing(why_not_started(*ended));
  } else {
    on_current_ended(*ended);
  }
  loop_.bury(std::move(ended));
}

void Front::on_current_ended(const FrontProcess& ended) {
  end_changing(fail(Code::kSystem, fmt::format("the front has ended meanwhile: {}", ended.cause())));
  if (!next_) end_obeying();
  if (!was_started_) {
    log(Level::kError, "the front has ended before it could start", {{"pid", ended.pid()}, {"exit", ended.cause()}});
    had_trouble_ = !ended.trouble().empty();
    return calls_.on_gone(false);
  }
  if (next_) {
    log(Level::kError, "the front has ended: another is being started already",
        {{"pid", ended.pid()}, {"exit", ended.cause()}});
    current_ = std::move(next_);
    ask_again();
    return tell_probes();
  }
  log(Level::kError, "the front has ended: starting another", {{"pid", ended.pid()}, {"exit", ended.cause()}});
  start_.arm(ended.is_started() ? allowance_.take(loop_.now()) : backoff_.next(runtime::random_unit()));
  end_replacing(why_not_started(ended));
}

Front::Process Front::take(FrontProcess& process) {
  if (&process == current_.get()) return std::move(current_);
  if (&process == next_.get()) return std::move(next_);
  const auto found = std::ranges::find(draining_, &process, &Process::get);
  Process taken = std::move(*found);
  draining_.erase(found);
  return taken;
}

void Front::end_replacing(Result<void> how) {
  if (on_replaced_) std::exchange(on_replaced_, nullptr)(std::move(how));
  look_who_waits_.schedule();
}

void Front::on_changed(const FrontProcess& process, const upstream::Changed& changed) {
  if (!changed.refused.empty()) {
    log(Level::kError, "the front has refused a change",
        {{"pid", process.pid()}, {"version", changed.version}, {"error", changed.refused}});
  }
  if (&process != current_.get()) return;
  if (const auto obeyed = obeying_.extract(changed.version)) return obeyed.mapped()({});
  if (changed.version != version_) return;
  end_changing(changed.refused.empty() ? Result<void>() : fail(Code::kConfig, changed.refused));
}

// Who takes over was told meanwhile, too, beside the one before, and may accept before it has heard of it.
void Front::ask_again() {
  for (auto& [version, on_obeyed] : std::exchange(obeying_, {})) obeying_[current_->confirm()] = std::move(on_obeyed);
}

// Whoever is started after the one that was asked is told all of it at its start.
void Front::end_obeying() {
  for (auto& [version, on_obeyed] : std::exchange(obeying_, {})) on_obeyed({});
}

// Who drains is told what is in force, before anything that follows from it.
void Front::end_changing(Result<void> how) {
  if (how && change_) {
    for (const Process& process : draining_) [[maybe_unused]] const auto told = process->change(*change_);
  }
  change_.reset();
  if (on_changed_) std::exchange(on_changed_, nullptr)(std::move(how));
  look_who_waits_.schedule();
}

// ---- who waits ----

void Front::when_settled(std::function<void()> then) {
  waiting_.push_back(std::move(then));
  patience_.arm(FrontProcess::kStartWithin);
  look_who_waits_.schedule();
}

void Front::look_who_waits() {
  while (!waiting_.empty() && (is_settled() || is_draining_)) {
    const auto then = std::move(waiting_.front());
    waiting_.pop_front();
    then();
  }
  if (waiting_.empty()) patience_.cancel();
}

void Front::on_patience_over() {
  for (const auto& then : std::exchange(waiting_, {})) then();
}

void Front::on_start_due() {
  if (is_draining_) return calls_.on_gone(true);
  const auto started = start();
  if (started) return;
  log(Level::kError, "the front cannot be started", {{"error", started.error().text()}});
  start_.arm(std::max(backoff_.next(runtime::random_unit()), Backoff::kFirst));
}

// ---- the end ----

void Front::drain() {
  if (std::exchange(is_draining_, true)) return;
  start_.cancel();
  look_who_waits_.schedule();
  const std::vector<FrontProcess*> all = living();
  if (all.empty()) start_.arm(Milliseconds(0));  // on_gone from the loop, not from here
  for (FrontProcess* const process : all) process->drain();
}

void Front::drain_at_once() {
  drain();
  for (FrontProcess* const process : living()) process->drain_at_once();
}

void Front::abandon() {
  start_.cancel();
  current_.reset();
  next_.reset();
  draining_.clear();
}

}  // namespace supervisor
