#include "upstream/dispatch.h"

#include <algorithm>

#include "upstream/place.h"

namespace upstream {

using runtime::Time;

Dispatch::Dispatch(AppIndex index, Board& board) : index_(index), board_(board), figures_(board.app[index]) {}

Dispatch::~Dispatch() = default;

Acquired Dispatch::acquire(Desk& desk, Ticket& ticket, Lease& lease, const Ask& ask) {
  std::unique_ptr<Connection> others;
  {
    const std::scoped_lock lock(lock_);
    // A retry in line waits for another worker than those who come; it holds up nobody else.
    const bool is_next = ask.is_retry() || !queue_.has_first_attempts();
    Place* const place = is_next && gate() == Gate::kOpen ? take_locked(ask.tried, ask.is_suspect) : nullptr;
    if (place == nullptr) {
      if (const auto refusal = refusal_locked(ask)) {
        ticket.refusal_ = *refusal;
        return Acquired::kRefused;
      }
      line_up_locked(desk, ticket, ask);
      return Acquired::kWaiting;
    }
    figure_locked();
    lease.desk_ = &desk;
    lease.place_ = place;
    lease.is_suspect_ = ask.is_suspect;
    others = attach_locked(lease, ask.may_repeat);
  }
  if (others) take_over(lease, std::move(others), ask.may_repeat);
  return Acquired::kLeased;
}

/// Why there is no use in waiting; nothing: there is.
std::optional<Refusal> Dispatch::refusal_locked(const Ask& ask) {
  const bool is_retry = ask.is_retry();
  if (has_gone_ && !has_other_locked(0)) return Refusal::kGone;
  if (is_closed(gate())) return Refusal::kClosed;
  if (!has_been_ready_ && !can_wait_) return Refusal::kNotBooted;
  if (is_retry && !may_come_locked(ask.tried)) return Refusal::kNoOther;
  if (!is_retry && queue_.length() >= queue_size_ && !make_room_locked(ask)) return Refusal::kFull;
  return std::nullopt;
}

/// So that one client cannot take the whole line from all others.
bool Dispatch::make_room_locked(const Ask& ask) {
  Ticket* const displaced = queue_.displaced_by(ask.address);
  if (displaced == nullptr) return false;
  refuse_locked(*displaced, Refusal::kFull);
  return true;
}

void Dispatch::line_up_locked(Desk& desk, Ticket& ticket, const Ask& ask) {
  ticket.desk_ = &desk;
  ticket.place_ = nullptr;
  ticket.tried_ = ask.tried;
  ticket.is_suspect_ = ask.is_suspect;
  ticket.may_repeat_ = ask.may_repeat;
  ticket.is_granted_ = false;
  ticket.is_waiting_ = true;
  ticket.came_ = desk.loop_.now();
  ticket.queue_timeout_ = ask.queue_timeout;
  ask.is_retry() ? queue_.enter_again(ticket) : queue_.enter(ticket, ask.address);
  keep_looking_locked(&desk);
  call_locked();
  figure_locked();
}

/// Whether another worker is there, or will come because the supervisor starts one.
bool Dispatch::may_come_locked(WorkerId other_than) const {
  return (has_processes_ && !has_gone_) || has_other_locked(other_than);
}

bool Dispatch::has_other_locked(WorkerId worker) const {
  return std::any_of(places_.begin(), places_.end(),
                     [&](const auto& place) { return place->takes_work && place->worker != worker; });
}

bool Dispatch::has_other(WorkerId worker) const {
  const std::scoped_lock lock(lock_);
  return has_other_locked(worker);
}

void Dispatch::occupy_locked(Place& place, bool is_suspect) {
  ++place.in_flight;
  if (is_suspect) ++place.suspects;
  ++busy_;
  place.last_used = ++uses_;
  show_locked(place);
}

void Dispatch::vacate_locked(Place& place, bool is_suspect) {
  --place.in_flight;
  if (is_suspect) --place.suspects;
  --busy_;
  show_locked(place);
  if (place.in_flight == 0 && place.on_drained) {
    place.drained_loop->post(std::move(place.on_drained));
    place.on_drained = nullptr;
  }
}

/// A slot for who asks, counted as taken. Null: none is free.
Place* Dispatch::take_locked(WorkerId tried, bool is_suspect) {
  look_elsewhere_locked();
  while (Load* const load = choose(loads_, tried, is_suspect)) {
    auto& place = static_cast<Place&>(*load);
    occupy_locked(place, is_suspect);
    if (fits_locked(place)) {
      if (busy_ + place.slots > slots_) count(figures_.unspared);
      return &place;
    }
    vacate_locked(place, is_suspect);
  }
  return nullptr;
}

void Dispatch::release(Lease& lease, bool reuse, bool has_answered) {
  Desk& desk = *lease.desk_;
  Place& place = *lease.place_;
  std::unique_ptr<Connection> connection = std::move(lease.connection_);
  lease.place_ = nullptr;
  std::optional<Worker> spent;
  const bool may_stay = reuse && connection;
  if (may_stay) {  // all that needs no lock: nobody else has it yet
    connection->is_reused_ = true;
    connection->idle_since_ = desk.loop_.now();
    connection->watch_.rebind(runtime::bind<&Connection::on_idle_readable>(connection.get()), {});
    connection->watch_.want_read(true);
    connection->watch_.want_write(false);
  }
  {
    const std::scoped_lock lock(lock_);
    Share& share = place.shares[desk.thread_];
    if (connection && place.requests_left != 0 && --place.requests_left == 0) spent = place.about;
    if (connection) share.unlease(*connection);
    if (connection && !reuse && !has_answered) place.losses.add(connection->leased_since_, desk.loop_.now(), place.slots);
    if (reuse || has_answered) place.is_doubted = false;
    if (has_answered && !place.has_ended) count(board_.worker[place.about.row].served);
    if (may_stay && place.takes_work && !has_made_way_ && !is_shared()) {
      connection->is_idle_ = true;
      share.idle.push_back(std::move(connection));
      if (place.about.speech == Speech::kHttp && !desk.sweep_.is_armed()) desk.sweep_.arm(kIdleAtMost);
    } else {
      closed_locked(place);
    }
    vacate_locked(place, lease.is_suspect_);
    pump_locked(&desk);
    figure_locked();
    forget_if_empty_locked(place);
  }
  if (spent && tell_spent_) tell_spent_(*spent);
  if (connection) bury(std::move(connection));
}

/// Gives free slots to those in line. A retry that may not go to the only free worker is passed over, and keeps its place.
void Dispatch::pump_locked(Desk* here) {
  if (gate() != Gate::kOpen) return;
  for (Ticket* ticket = queue_.first_retry(); ticket != nullptr;) {
    Ticket* const next = ticket->next_;
    if (Place* const place = take_locked(ticket->tried_, ticket->is_suspect_)) grant_locked(*ticket, *place, here);
    ticket = next;
  }
  if (yields_locked()) return keep_looking_locked(here);
  while (Ticket* const ticket = queue_.first()) {
    Place* const place = take_locked(0, false);
    if (place == nullptr) break;
    grant_locked(*ticket, *place, here);
  }
  keep_looking_locked(here);
}

/// The slot has been taken for it.
void Dispatch::grant_locked(Ticket& ticket, Place& place, Desk* here) {
  if (runtime::Clock::now() - std::max(ticket.came_, moves_since_) > target_wait_) count(figures_.late);
  queue_.served(ticket);
  hand_over_locked(ticket, &place, here);
}

void Dispatch::refuse_locked(Ticket& ticket, Refusal why) {
  ticket.refusal_ = why;
  queue_.leave(ticket);
  hand_over_locked(ticket, nullptr, nullptr);
}

/// The ticket's own thread hears of it.
void Dispatch::hand_over_locked(Ticket& ticket, Place* place, Desk* here) {
  ticket.place_ = place;
  ticket.is_granted_ = true;
  Desk& desk = *ticket.desk_;
  desk.granted_.append(ticket);
  if (&desk == here) {
    desk.collect_.schedule();
  } else if (desk.granted_.length() == 1) {
    desk.loop_.post([&desk] { desk.collect(); });
  }
}

/// Who was granted it has left: the next one may have it.
void Dispatch::ungrant_locked(Place& place, Desk& desk, bool is_suspect) {
  vacate_locked(place, is_suspect);
  pump_locked(&desk);
  forget_if_empty_locked(place);
}

void Dispatch::refuse_line_locked(Refusal why) {
  while (Ticket* const ticket = queue_.first_retry()) refuse_locked(*ticket, why);
  while (Ticket* const ticket = queue_.first()) refuse_locked(*ticket, why);
}

/// Only the supervisor can start a worker for who waits.
void Dispatch::call_locked() {
  if (!is_asleep_ || queue_.length() == 0 || std::exchange(has_called_, true)) return;
  if (tell_wanted_) tell_wanted_(index_);
}

Place* Dispatch::find_locked(WorkerId worker) {
  for (auto& place : places_) {
    if (place->worker == worker) return place.get();
  }
  return nullptr;
}

/// A worker that takes no work and has nothing open is history.
void Dispatch::forget_if_empty_locked(Place& place) {
  if (place.takes_work || place.in_flight > 0 || place.open > 0) return;
  std::erase(loads_, &place);
  std::erase_if(places_, [&](const auto& p) { return p.get() == &place; });
}

void Dispatch::figure_locked() {
  figures_.queue.store(static_cast<std::uint32_t>(queue_.length()), std::memory_order_relaxed);
  figures_.busy.store(busy_, std::memory_order_relaxed);
  figures_.slots.store(slots_, std::memory_order_relaxed);
  figures_.waits_since.store(waits_since_locked(), std::memory_order_relaxed);
}

/// The next one in line, as in AppFigures. More workers would do nothing for who waits for a boot or the end of a pause.
std::uint64_t Dispatch::waits_since_locked() const {
  if (queue_.length() == 0 || gate() != Gate::kOpen || !has_been_ready_ || is_asleep_) return 0;
  const Ticket* const next = queue_.first() != nullptr ? queue_.first() : queue_.first_retry();
  const Time since = std::max(next->came_, moves_since_);
  return static_cast<std::uint64_t>(std::chrono::duration_cast<runtime::Milliseconds>(since.time_since_epoch()).count());
}

}  // namespace upstream
