#include "upstream/dispatch.h"

#include <sys/socket.h>

#include <algorithm>
#include <cassert>

#include "runtime/log.h"
#include "upstream/place.h"

namespace upstream {

using runtime::Loop;
using runtime::Time;

void Share::lease(Connection& connection) {
  connection.leased_at_ = leased.size();
  connection.leased_since_ = connection.desk_->loop().now();
  leased.push_back(&connection);
}

void Share::unlease(Connection& connection) {
  leased.back()->leased_at_ = connection.leased_at_;
  leased[connection.leased_at_] = leased.back();
  leased.pop_back();
}

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

/// Finds the lease an idle connection, this thread's own first: it is in our loop already. Without one the lease may
/// open a new connection, for then fewer are open than slots; else another thread's is to be taken over. That comes first
/// if there are other fronts: what is idle has a slot that is counted already.
std::unique_ptr<Connection> Dispatch::attach_locked(Lease& lease, bool may_repeat) {
  Place& place = *lease.place_;
  lease.connection_ = take_own_locked(*lease.desk_, place, may_repeat);
  if (lease.connection_) {
    place.shares[lease.desk_->thread_].lease(*lease.connection_);
    return nullptr;
  }
  const bool is_full = place.open >= place.slots;
  std::unique_ptr<Connection> others = is_full || is_shared() ? take_others_locked(place) : nullptr;
  // Each other lease has at most one connection, and this one has none: at least one of `slots` open ones is idle.
  assert(others || !is_full);
  if (!others) opened_locked(place);
  return others;
}

/// The same socket by a number of our own. The old number is closed by its thread, which may be looking at it right now.
void Dispatch::take_over(Lease& lease, std::unique_ptr<Connection> others, bool may_repeat) {
  Desk& desk = *lease.desk_;
  Place& place = *lease.place_;
  auto mine = std::make_unique<Connection>(desk.loop_, runtime::duplicate(others->fd()));
  const bool is_fresh = may_repeat || place.about.speech != Speech::kHttp || desk.loop_.now() - others->idle_since_ < kIdleAtMost;
  Loop& home = others->desk_->loop_;
  home.post([old = others.release()] { delete old; });
  if (mine->fd() < 0 || !is_fresh) return;
  mine->desk_ = &desk;
  mine->place_ = &place;
  mine->is_reused_ = true;
  mine->watch_.want_read(true);
  const std::scoped_lock lock(lock_);
  place.shares[desk.thread_].lease(*mine);
  lease.connection_ = std::move(mine);
}

/// At the end of the turn, for we may be in a call from its own watch. And in silence: its socket may have become readable
/// in this very turn, and whom it would tell has gone on to another connection.
void Dispatch::bury(std::unique_ptr<Connection> connection) {
  connection->watch_.rebind({}, {});
  Loop& loop = connection->desk_->loop_;
  loop.bury(std::move(connection));
}

void Dispatch::opened_locked(Place& place) {
  ++place.open;
  show_locked(place);
}

void Dispatch::closed_locked(Place& place) {
  --place.open;
  show_locked(place);
}

std::unique_ptr<Connection> Dispatch::take_own_locked(Desk& desk, Place& place, bool may_repeat) {
  auto& mine = place.shares[desk.thread_].idle;
  if (mine.empty()) return nullptr;
  std::unique_ptr<Connection> connection = std::move(mine.back());
  mine.pop_back();
  connection->is_idle_ = false;
  // A worker that is about to close an idle connection may have done so: not for a request that must not run twice.
  if (!may_repeat && place.about.speech == Speech::kHttp && desk.loop_.now() - connection->idle_since_ >= kIdleAtMost) {
    closed_locked(place);
    bury(std::move(connection));
    return nullptr;
  }
  return connection;
}

std::unique_ptr<Connection> Dispatch::take_others_locked(Place& place) {
  for (Share& share : place.shares) {
    auto& idle = share.idle;
    if (idle.empty()) continue;
    std::unique_ptr<Connection> connection = std::move(idle.back());
    idle.pop_back();
    connection->is_idle_ = false;
    return connection;
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

void Dispatch::stop_work_locked(Place& place) {
  if (!std::exchange(place.takes_work, false)) return;
  slots_ -= place.slots;
  if (has_gone_ && !has_other_locked(0)) refuse_line_locked(Refusal::kGone);
}

/// A worker that takes no work and has nothing open is history.
void Dispatch::forget_if_empty_locked(Place& place) {
  if (place.takes_work || place.in_flight > 0 || place.open > 0) return;
  std::erase(loads_, &place);
  std::erase_if(places_, [&](const auto& p) { return p.get() == &place; });
}

/// Closes this thread's idle connections: those to workers that take no more work, and to foreign programs those
/// that were last used at or before `used_before`. All of them at Time::max().
void Dispatch::close_idle(Desk& desk, Time used_before) {
  std::vector<std::unique_ptr<Connection>> closing;  // closed outside the lock
  {
    const std::scoped_lock lock(lock_);
    bool some_stay = false;
    for (std::size_t i = places_.size(); i-- > 0;) {
      Place& place = *places_[i];
      std::erase_if(place.shares[desk.thread_].idle, [&](auto& connection) {
        const bool is_old = connection->idle_since_ <= used_before;
        const bool is_swept = is_old && (place.about.speech == Speech::kHttp || used_before == Time::max());
        const bool stays = place.takes_work && !is_swept;
        some_stay = some_stay || (stays && place.about.speech == Speech::kHttp);
        if (stays) return false;
        connection->is_idle_ = false;
        closed_locked(place);
        closing.push_back(std::move(connection));
        return true;
      });
      forget_if_empty_locked(place);
    }
    if (some_stay && !desk.sweep_.is_armed()) desk.sweep_.arm(kIdleAtMost / 2);
  }
  for (auto& connection : closing) bury(std::move(connection));
}

void Connection::on_idle_readable() { desk_->dispatch().on_idle_closed(*this); }

/// Nothing is due on an idle connection: it is the worker's goodbye, or an answer nobody asked for. Both end it.
void Dispatch::on_idle_closed(Connection& connection) {
  char byte = 0;
  const bool is_goodbye = ::recv(connection.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
  std::uint32_t slot = 0;
  std::int32_t pid = 0;
  std::string app;
  {
    const std::scoped_lock lock(lock_);
    if (!connection.is_idle_) {  // taken over by another thread: it is their answer; our number is closed by a post
      connection.watch_.want_read(false);
      return;
    }
    Place& place = *connection.place_;
    slot = place.about.slot;
    pid = place.about.pid;
    app = name_;
    auto& idle = place.shares[connection.desk_->thread_].idle;
    const auto at = std::find_if(idle.begin(), idle.end(), [&](const auto& c) { return c.get() == &connection; });
    std::unique_ptr<Connection> dead = std::move(*at);
    idle.erase(at);
    dead->is_idle_ = false;
    closed_locked(place);
    bury(std::move(dead));
    forget_if_empty_locked(place);
  }
  if (is_goodbye) return;
  runtime::log(runtime::Level::kWarning, "worker sent more than its answer",
               {{"app", app}, {"worker", slot}, {"pid", pid}, {"cause", "nobody has asked for it"}});
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
