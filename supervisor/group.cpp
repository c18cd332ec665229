#include "supervisor/group.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <ranges>

#include "runtime/log.h"
#include "runtime/random.h"

namespace supervisor {

using runtime::Level;
using runtime::log;
using runtime::Milliseconds;

namespace {

// Where its routes lead, and by which rules, is known only of the settings in force: one that was handed on has it no more.
conf::App alone(conf::App app) {
  for (conf::Route& route : app.routes) {
    route.to.reset();
    route.rules = {};
  }
  return app;
}

}  // namespace

Group::Group(Herd& herd, conf::App app, Account account, upstream::AppIndex index, GroupCalls calls,
             Group* owner)
    : Group(herd,
            std::make_shared<Release>(
                Release{.generation = 1, .app = std::move(app), .account = std::move(account)}),
            index, calls, owner, /*is_adopted=*/false) {
  if (!is_service()) herd_.promised.erase(index_);  // of an app that had the index before
  wanted_ = target_->app.has_processes() ? scale::first(target_->app.workers) : 0;
  is_asleep_ = target_->app.has_processes() && wanted_ == 0;
  if (this->app().kind() == conf::AppKind::kProxy) fill_proxies();
  for (std::size_t i = 0; i < wanted_; ++i) add_place();
  for (const conf::Service& service : this->app().services) add_service(conf::service_app(this->app(), service));
  show();
}

Group::Group(Herd& herd, OwnRelease target, upstream::AppIndex index, GroupCalls calls, Group* owner, bool is_adopted)
    : herd_(herd),
      index_(index),
      calls_(calls),
      target_(std::move(target)),
      pause_(herd.reaper.loop(), runtime::bind<&Group::on_pause_over>(this)),
      load_(herd.reaper.loop(), runtime::bind<&Group::look_at_load>(this)),
      patience_(herd.reaper.loop(), runtime::bind<&Group::on_patience_over>(this)),
      tend_soon_(herd.reaper.loop(), runtime::bind<&Group::tend>(this)),
      tend_later_(herd.reaper.loop(), runtime::bind<&Group::tend>(this)),
      owner_(owner),
      service_row_(owner != nullptr ? std::make_unique<ServiceRow>(herd.figures, target_->app.name, is_adopted) : nullptr) {
  watch_sources();
}

// ---- what is wanted ----

void Group::give_up_if_it_fails() {
  gives_up_ = true;
  for (const auto& service : services_) service->gives_up_ = true;
}

void Group::start() {
  is_wanted_ = true;
  if (is_asleep_) tell_state();
  tend();
}

void Group::leave() {
  is_wanted_ = false;
  is_stopping_ = true;
  pause_.cancel();
  load_.cancel();
  for (const auto& place : places_) place->has_successor = false;
  for (Worker* const worker : all() | std::views::reverse) worker->on(Event::kRetire);
  dismiss_proxies();
  const auto gone = runtime::fail(runtime::Code::kSystem, fmt::format("the settings have no app {} any more", app().name));
  if (rollout_) finish_release(gone);
  finish_awaiting(gone);
  look();
}

void Group::stop() {
  is_wanted_ = false;
  is_stopping_ = true;
  if (rollout_ && !is_service()) finish_release(runtime::fail(runtime::Code::kSystem, "the release has not come to its end: everything is ending"));
  finish_awaiting(runtime::fail(runtime::Code::kSystem, fmt::format("app {} is not ready: everything is ending", app().name)));
  leaving_proxies_.clear();
  for (const auto& place : places_) place->has_successor = false;
  for (Worker* const worker : all() | std::views::reverse) {
    worker->on(Event::kRetire);
    worker->on(Event::kDrained);
  }
  stop_services();
}

void Group::kill_now() {
  for (Worker* const worker : all()) worker->kill_now();
  for (const auto& service : services_) {
    service->stop();
    service->kill_now();
  }
}

// ---- from what is to what is wanted ----

// The only place where a worker is made, started or told to go while the app runs; each step leaves alone what
// is as it should be. What it leads to is noted by on_changed() and looked at in the next turn.
void Group::tend() {
  tend_later_.cancel();
  settle_proxies();
  if (is_stopping_) stop_services();
  if (is_stopping_ && is_stopped()) {
    for (const Gone& on_gone : std::exchange(when_gone_, {})) on_gone({});
    if (!is_service()) herd_.cgroups.remove(app().name);
    return calls_.on_stopped();
  }
  if (!is_wanted_ || !failure_.empty()) return;
  for (const auto& place : places_) settle(*place);
  fit();
  for (const auto& place : places_) fill(*place);
  replace_due();
  settle_services();
  judge_release();
  judge_awaited();
  size_by_machine();
  watch_load();
  settle_share();
  tell_if_gone();
  show();
}

void Group::tend_at(runtime::Time due) {
  if (!tend_later_.is_armed() || tend_later_.deadline() > due) tend_later_.arm_at(due);
}

// As many places as are wanted, and those that are leaving until they are empty.
void Group::fit() {
  std::erase_if(places_, [this](std::unique_ptr<Place>& place) {
    if (!place->is_leaving || !place->is_empty()) return false;
    bury(std::move(place->holder));
    return true;
  });
  while (workers().size() < wanted()) add_place();
  while (workers().size() > wanted()) dismiss_a_place();
}

// With the lowest number that is free.
void Group::add_place() {
  std::uint32_t slot = 1;
  auto at = places_.begin();
  for (; at != places_.end() && (*at)->slot() == slot; ++at) ++slot;
  places_.insert(at, std::make_unique<Place>(make_worker(slot)));
}

// The last of those that are not ready, else the last.
void Group::dismiss_a_place() {
  Place* last = nullptr;
  for (const auto& place : places_) {
    const bool is_better = last == nullptr || last->is_ready() || !place->is_ready();
    if (!place->is_leaving && is_better) last = place.get();
  }
  last->is_leaving = true;
  dismiss_successor(*last);
  last->holder->on(Event::kRetire);
}

// Starts who is due. While nobody has ever been ready one is tried at a time: if the app is broken, that shows
// once, not N times at once. Nor are there ever two of a service, also if one has still to end by an order.
void Group::fill(Place& place) {
  if (place.is_leaving) return;
  if (place.holder->release() != target_) renew(place);
  if ((has_been_ready_ && !is_service()) || !is_another_being_tried(*place.holder)) begin(*place.holder);
  if (place.has_successor) begin(*place.extra);
}

// Who holds the place is of another release. One that serves is replaced (group_replace.cpp); any other has
// nobody to wait for. A service ends first: two schedulers at once do everything twice.
void Group::renew(Place& place) {
  if (!place.is_ready() || is_service()) place.holder->on(Event::kRetire);
  if (place.holder->state() != State::kIdle) return;
  std::unique_ptr<Worker> fresh = make_worker(place.slot());
  fresh->follow(*place.holder);
  bury(std::exchange(place.holder, std::move(fresh)));
}

void Group::begin(Worker& worker) {
  if (worker.state() != State::kIdle) return;
  if (worker.not_before() > herd_.reaper.loop().now()) return tend_at(worker.not_before());
  worker.on(Event::kStart);
}

bool Group::is_another_being_tried(const Worker& worker) const {
  return std::ranges::any_of(places_, [&](const auto& place) {
    return place->holder.get() != &worker && place->holder->state() != State::kIdle;
  });
}

std::unique_ptr<Worker> Group::make_worker(std::uint32_t slot) {
  return std::make_unique<Worker>(herd_, *this, target_, index_, slot);
}

// Perhaps we are in a call from it.
void Group::bury(std::unique_ptr<Worker> worker) {
  herd_.reaper.loop().bury(std::move(worker));
}

// What others may read of it: the states of its workers, and whether it has ever worked.
void Group::show() {
  if (is_service()) owner_->look();
  note_promise();
  std::array<std::uint32_t, upstream::kWorkerStates.size()> by_state{};
  for (const Worker* const worker : all()) {
    const auto state = std::ranges::find(upstream::kWorkerStates, name(worker->state()));
    ++by_state[static_cast<std::size_t>(state - upstream::kWorkerStates.begin())];
  }
  for (std::size_t i = 0; i < by_state.size(); ++i) figures().workers[i] = by_state[i];
  using enum upstream::FirstBoot;
  const bool is_over = has_been_ready_ || !app().has_processes() || wanted() == 0 || app().workers.min == 0;
  figures().first_boot = is_over ? kOver : failures_ == 0 ? kUnderWay : kFailed;
}

// ---- from the front ----

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
  if (Worker* const worker = find(answer.worker)) return worker->on(Event::kDrained);
  on_proxy_drained(answer.worker);
}

void Group::on_stuck(const upstream::Stuck& told) {
  if (Worker* const worker = find(told.worker)) return worker->on_stuck(told);
  on_proxy_stuck(told);
}

void Group::on_unstuck(const upstream::Unstuck& told) {
  if (Worker* const worker = find(told.worker)) worker->on_unstuck(told);
}

void Group::on_spent(const upstream::Spent& told) {
  if (Worker* const worker = find(told.worker)) worker->on_spent();
}

void Group::on_lost(const upstream::Lost& told) {
  for (Worker* const worker : all()) worker->on_lost(told);
}

// ---- from its workers ----

void Group::on_changed(Worker& worker, State from) {
  const bool gives_up = may_give_up();
  if (worker.state() == State::kReady) {
    if (!has_been_ready_) advise_on_memory();
    has_been_ready_ = true;
    is_asleep_ = false;
    failures_ = 0;
    note_size(worker);
  }
  if (worker.state() == State::kReady || from == State::kReady) settled_since_ = herd_.reaper.loop().now();
  const bool is_again = !worker.last_exit().empty() ||
                        std::ranges::any_of(places_, [&](const auto& p) { return p->is_successor(worker); });
  if (worker.state() == State::kStarting && is_again) upstream::count(figures().restarts);
  show();
  look();
  if (worker.state() == State::kBackoff && gives_up) return worker.on(Event::kGiveUp);
  if (worker.state() != State::kIdle || from != State::kKilling || is_stopping_) return;
  if (gives_up) return on_failed(worker);
  worker.wait_until(herd_.reaper.loop().now() + wait_before_next(worker));
}

void Group::on_boot_failed(const Worker& worker) {
  ++failures_;
  show();
  if (failures_ == 1 && !has_been_ready_) tell_state();
  if (rollout_ && !rollout_->is_of_services && worker.release() == target_) {
    fall_back(fmt::format("generation {} of app {} did not become ready: {}", generation(), app().name, worker.last_exit()),
              fmt::format("{}", fmt::join(worker.last_lines(), "\n")));
  }
  (is_service() ? *owner_ : *this).on_awaited_boot_failed(*this, worker);
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

void Group::on_failed(Worker& worker) {
  if (!failure_.empty()) return;
  failure_ = worker.last_exit();
  calls_.on_failed(*this);
}

// ---- what can be asked ----

std::vector<const Worker*> Group::workers() const {
  std::vector<const Worker*> workers;
  for (const auto& place : places_) {
    if (!place->is_leaving) workers.push_back(place->holder.get());
  }
  return workers;
}

std::vector<const Worker*> Group::extras() const {
  std::vector<const Worker*> extras;
  for (const auto& place : places_) {
    if (place->is_leaving) extras.push_back(place->holder.get());
    if (place->extra) extras.push_back(place->extra.get());
  }
  return extras;
}

std::vector<Worker*> Group::all() const {
  std::vector<Worker*> all;
  for (const auto& place : places_) all.push_back(place->holder.get());
  for (const auto& place : places_) {
    if (place->extra) all.push_back(place->extra.get());
  }
  return all;
}

std::vector<std::pair<std::uint32_t, std::shared_ptr<const Zygote>>> Group::zygotes() const {
  std::vector<std::pair<std::uint32_t, std::shared_ptr<const Zygote>>> zygotes;
  for (const ReleaseRef& release : releases()) {
    const auto zygote = release->zygote.lock();
    if (zygote && zygote->is_alive()) zygotes.emplace_back(release->generation, zygote);
  }
  return zygotes;
}

bool Group::is_stopped() const {
  return leaving_proxies_.empty() && have_workers_ended() && std::ranges::all_of(services_, &Group::is_stopped);
}

bool Group::goes_by(const conf::App& settings) const {
  if (alone(app()) != alone(settings)) return false;
  return std::ranges::all_of(services_, [&](const auto& service) {
    const auto named = std::ranges::find_if(settings.services, [&](const conf::Service& one) {
      return conf::service_app(settings, one).name == service->app().name;
    });
    return named == settings.services.end() || conf::service_app(settings, *named) == service->app();
  });
}

bool Group::is_all_ready() const {
  return count_ready() == workers().size();
}

std::string_view Group::state() const {
  const auto is_any = [&](State state) {
    return std::ranges::any_of(workers(), [state](const Worker* worker) { return worker->state() == state; });
  };
  if (is_stopping_) return "stopping";
  if (!failure_.empty()) return "failed";
  if (gate_ != upstream::Gate::kOpen) return upstream::kGates[static_cast<std::size_t>(gate_)];
  if (sleeps()) return is_service() ? "stopped" : "asleep";
  if (is_all_ready()) return state_of_services();
  if (is_any(State::kReady)) return "degraded";
  return is_any(State::kStarting) && failures_ == 0 ? "starting" : "failing";
}

}  // namespace supervisor
