// What the supervisor says of an app and its workers, and what follows of it for who waits in line and who is served.
#include <sys/socket.h>

#include <algorithm>

#include "upstream/dispatch.h"
#include "upstream/place.h"

namespace upstream {

using runtime::Loop;
using runtime::Time;

void Dispatch::configure(const conf::App* app) {
  const std::scoped_lock lock(lock_);
  has_gone_ = app == nullptr;
  if (has_gone_) {
    has_been_ready_ = false;  // the next one that has our index may be another app
    can_wait_ = true;
    is_asleep_ = false;
    gate_ = Gate::kOpen;
    if (!has_other_locked(0)) refuse_line_locked(Refusal::kGone);
    pump_locked(nullptr);  // who waited behind a pause
  } else {
    name_ = app->name;
    queue_size_ = app->queue_size;
    boot_timeout_ = app->boot_timeout;
    target_wait_ = app->target_wait;
    has_processes_ = app->has_processes();
  }
  figure_locked();
}

void Dispatch::publish(const Worker& worker) {
  const std::scoped_lock lock(lock_);
  auto place = std::make_unique<Place>();
  place->worker = worker.id;
  place->slots = worker.slots;
  place->about = worker;
  place->requests_left = requests_left(worker);
  place->dispatch = this;
  place->shares.resize(desks_.size());
  loads_.push_back(place.get());
  places_.push_back(std::move(place));
  const bool was_ready = std::exchange(has_been_ready_, true), was_asleep = std::exchange(is_asleep_, false);
  if (!was_ready || was_asleep) moves_since_ = runtime::Clock::now();
  slots_ += worker.slots;
  pump_locked(nullptr);
  figure_locked();
}

/// Others may have given it some, or a front before us all; what it had in flight there is not counted yet.
std::uint64_t Dispatch::requests_left(const Worker& worker) const {
  if (worker.max_requests == 0) return 0;
  const std::uint64_t served = fronts_ != nullptr ? fronts_->worker(worker.row).served : 0;
  return worker.max_requests > served ? worker.max_requests - served : 1;
}

void Dispatch::unpublish(WorkerId worker, Loop& loop, std::function<void()> on_drained) {
  {
    const std::scoped_lock lock(lock_);
    Place* const place = find_locked(worker);
    if (place != nullptr) stop_work_locked(*place);
    if (place != nullptr && place->in_flight > 0) {
      place->drained_loop = &loop;
      place->on_drained = std::exchange(on_drained, nullptr);
    }
    figure_locked();
  }
  if (on_drained) loop.post(std::move(on_drained));
  for (Desk* desk : desks_) desk->loop_.post([this, desk] { close_idle(*desk, Time::min()); });
}

std::vector<Time> Dispatch::ended(WorkerId worker, bool unexpected) {
  std::vector<Time> in_flight;
  {
    const std::scoped_lock lock(lock_);
    deaths_.add(worker, unexpected);
    if (Place* const place = find_locked(worker)) {
      in_flight = in_flight_locked(*place);
      end_locked(*place);
    }
  }
  for (Desk* desk : desks_) {
    desk->loop_.post([this, desk, worker] {
      close_idle(*desk, Time::min());
      desk->tell_inquests(worker);
    });
  }
  return in_flight;
}

/// And what it has lost just now: its threads have seen the end of the connections already.
std::vector<Time> Dispatch::in_flight_locked(const Place& place) const {
  std::vector<Time> times = place.losses.dispatched(runtime::Clock::now() - kWordWithin);
  for (const Share& share : place.shares) {
    for (const Connection* connection : share.leased) times.push_back(connection->leased_since_);
  }
  std::ranges::sort(times);
  return times;
}

void Dispatch::end_locked(Place& place) {
  stop_work_locked(place);
  WorkerFigures& row = board_.worker[place.about.row];
  row.busy = row.taken = 0;
  place.has_ended = true;
  // Its threads see end of input at once; the numbers stay theirs to close.
  for (const Share& share : place.shares) {
    for (const Connection* connection : share.leased) ::shutdown(connection->fd(), SHUT_RDWR);
  }
  figure_locked();
  forget_if_empty_locked(place);
}

Death Dispatch::death_of(WorkerId worker) const {
  const std::scoped_lock lock(lock_);
  return deaths_.of(worker);
}

void Dispatch::set_state(const AppState& state) {
  const std::scoped_lock lock(lock_);
  can_wait_ = state.can_wait;
  has_been_ready_ = has_been_ready_ || state.has_been_ready;
  is_asleep_ = state.is_asleep;
  has_called_ = false;
  const Gate before = gate_.exchange(state.gate);
  notice_ = state.notice;
  if (is_closed(state.gate)) refuse_line_locked(Refusal::kClosed);
  if (!can_wait_ && !has_been_ready_) refuse_line_locked(Refusal::kNotBooted);
  if (before == Gate::kPaused) moves_since_ = runtime::Clock::now();
  pump_locked(nullptr);
  call_locked();
  figure_locked();
}

std::string Dispatch::notice() const {
  const std::scoped_lock lock(lock_);
  return notice_;
}

void Dispatch::stop_work_locked(Place& place) {
  if (!std::exchange(place.takes_work, false)) return;
  slots_ -= place.slots;
  if (has_gone_ && !has_other_locked(0)) refuse_line_locked(Refusal::kGone);
}

}  // namespace upstream
