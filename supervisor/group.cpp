#include "supervisor/group.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ranges>

#include "runtime/log.h"
#include "runtime/random.h"

namespace supervisor {

using runtime::Level;
using runtime::log;
using runtime::Milliseconds;

Group::Group(Herd& herd, const conf::App& app, Account account, upstream::AppIndex index, GroupCalls calls)
    : herd_(herd),
      app_(app),
      account_(std::move(account)),
      index_(index),
      calls_(calls),
      tend_(herd.reaper.loop(), runtime::bind<&Group::tend>(this)) {
  if (app_.kind() == conf::AppKind::kProxy) fill_proxies();
  const std::size_t wanted = app_.has_processes() ? app_.workers : 0;
  for (std::uint32_t slot = 1; slot <= wanted; ++slot) {
    workers_.push_back(std::make_unique<Worker>(herd_, *this, app_, account_, index_, slot));
  }
  show();
}

// What others may read of it: the states of its workers, and whether it has ever worked.
void Group::show() {
  std::array<std::uint32_t, upstream::kWorkerStates.size()> by_state{};
  for (const Worker* const worker : all()) {
    const auto state = std::ranges::find(upstream::kWorkerStates, name(worker->state()));
    ++by_state[static_cast<std::size_t>(state - upstream::kWorkerStates.begin())];
  }
  for (std::size_t i = 0; i < by_state.size(); ++i) figures().workers[i] = by_state[i];
  using enum upstream::FirstBoot;
  const bool is_over = has_been_ready_ || !app_.has_processes();
  figures().first_boot = is_over ? kOver : failures_ == 0 ? kUnderWay : kFailed;
}

// They need not be there: a failed connect is a 502 at once, so all are published as they are.
void Group::fill_proxies() {
  for (const conf::Address& address : app_.proxy) {
    const auto row = herd_.rows.take();
    if (!row) return log(Level::kError, "too many workers: some are left out", {{"app", app_.name}});
    const auto slot = static_cast<std::uint32_t>(proxies_.size() + 1);
    proxies_.push_back(
        {.id = ++herd_.last_id, .app = index_, .slot = slot, .row = *row,
         .slots = static_cast<std::uint32_t>(app_.concurrency), .socket = address.path});
  }
}

void Group::start() {
  is_wanted_ = true;
  tend();
}

// Fills the places that are empty and due. While nobody has ever been ready one is tried at a time: if the
// app is broken, that shows once, not N times at once.
void Group::tend() {
  if (!is_wanted_ || !failure_.empty()) return;
  for (const auto& worker : workers_) {
    if (worker->state() != State::kIdle) continue;
    if (!has_been_ready_ && is_another_being_tried(*worker)) return;
    tend_one(*worker);
  }
  if (replaced_ != nullptr && extra_->state() == State::kIdle) tend_one(*extra_);
}

void Group::tend_one(Worker& worker) {
  const runtime::Time due = worker.not_before();
  if (due <= herd_.reaper.loop().now()) return worker.on(Event::kStart);
  if (!tend_.is_armed() || tend_.deadline() > due) tend_.arm_at(due);
}

bool Group::is_another_being_tried(const Worker& worker) const {
  return std::ranges::any_of(
      workers_, [&](const auto& other) { return other.get() != &worker && other->state() != State::kIdle; });
}

std::vector<Worker*> Group::all() const {
  std::vector<Worker*> all;
  for (const auto& worker : workers_) all.push_back(worker.get());
  if (extra_) all.push_back(extra_.get());
  return all;
}

void Group::stop() {
  is_wanted_ = false;
  is_stopping_ = true;
  replaced_ = nullptr;
  tend_.cancel();
  for (Worker* const worker : all() | std::views::reverse) {
    worker->on(Event::kRetire);
    worker->on(Event::kDrained);
  }
}

void Group::kill_now() {
  for (Worker* const worker : all()) worker->kill_now();
}

void Group::replay() {
  for (const upstream::Worker& proxy : proxies_) herd_.front.tell(upstream::Publish{proxy});
  if (has_been_ready_ || failures_ != 0) {
    herd_.front.tell(
        upstream::AppState{.app = index_, .can_wait = has_been_ready_, .has_been_ready = has_been_ready_});
  }
  for (Worker* const worker : all()) worker->replay();
}

// Nobody: its process has ended while the word was on its way.
Worker* Group::find(upstream::WorkerId id) const {
  const std::vector<Worker*> everyone = all();
  const auto found = std::ranges::find(everyone, id, &Worker::id);
  return found == everyone.end() ? nullptr : *found;
}

void Group::on_probed(const upstream::Probed& answer) {
  if (Worker* const worker = find(answer.worker)) worker->on_probed(answer);
}

void Group::on_drained(const upstream::Drained& answer) {
  if (Worker* const worker = find(answer.worker)) worker->on(Event::kDrained);
}

void Group::on_stuck(const upstream::Stuck& told) {
  if (Worker* const worker = find(told.worker)) return worker->on_stuck(told);
  const auto proxy = std::ranges::find(proxies_, told.worker, &upstream::Worker::id);
  if (proxy == proxies_.end()) return;
  log(Level::kWarning, "a worker does not let go of a request that has run out of time",
      {{"app", app_.name}, {"worker", proxy->slot}, {"socket", proxy->socket}, {"exchange", told.exchange}});
}

void Group::on_unstuck(const upstream::Unstuck& told) {
  if (Worker* const worker = find(told.worker)) worker->on_unstuck(told);
}

void Group::on_boot_failed() {
  ++failures_;
  show();
  if (failures_ == 1 && !has_been_ready_)
    herd_.front.tell(upstream::AppState{.app = index_, .can_wait = false});
}

void Group::on_exited(const Worker& worker, upstream::ExitReason reason) {
  upstream::count(figures().exits[static_cast<std::size_t>(reason)]);
  if (reason == upstream::ExitReason::kOrdered) return;
  last_exit_ = fmt::format("worker {}: {}", worker.slot(), worker.last_exit());
}

Milliseconds Group::wait_before_next(Worker& worker) {
  if (worker.had_been_ready()) return allowance_.take(herd_.reaper.loop().now());
  return worker.backoff().next(runtime::random_unit());
}

void Group::on_changed(Worker& worker, State from) {
  const bool gives_up = may_give_up();
  if (worker.state() == State::kReady) {
    has_been_ready_ = true;
    failures_ = 0;
  }
  show();
  if (worker.state() == State::kStarting && (is_successor(worker) || !worker.last_exit().empty()))
    upstream::count(figures().restarts);
  if (worker.state() == State::kReady) {
    if (is_successor(worker)) hand_over();
    return tend();
  }
  if (&worker == replaced_) return on_replaced_ended();
  if (worker.state() == State::kBackoff && gives_up) return worker.on(Event::kGiveUp);
  if (worker.state() == State::kIdle) on_idle(worker, from);
}

void Group::on_idle(Worker& worker, State from) {
  if (is_stopping_) {
    if (is_stopped()) calls_.on_stopped();
    return;
  }
  if (&worker == extra_.get() && replaced_ == nullptr) return on_extra_gone();
  if (from == State::kKilling && may_give_up()) return on_failed(worker);
  if (from == State::kKilling) worker.wait_until(herd_.reaper.loop().now() + wait_before_next(worker));
  tend();
}

void Group::on_failed(Worker& worker) {
  if (!failure_.empty()) return;
  failure_ = worker.last_exit();
  calls_.on_failed(*this);
}

bool Group::is_stopped() const {
  return std::ranges::none_of(all(), &Worker::has_process);
}

bool Group::is_all_ready() const {
  return std::ranges::all_of(workers_, [](const auto& worker) { return worker->state() == State::kReady; });
}

std::string_view Group::state() const {
  const auto is_any = [&](State state) {
    return std::ranges::any_of(workers_, [state](const auto& worker) { return worker->state() == state; });
  };
  if (is_stopping_) return "stopping";
  if (!failure_.empty()) return "failed";
  if (is_all_ready()) return "ready";
  if (is_any(State::kReady)) return "degraded";
  return is_any(State::kStarting) && failures_ == 0 ? "starting" : "failing";
}

}  // namespace supervisor
