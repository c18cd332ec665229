// A lease, from a thread's side; and that thread's desk: what has been granted to it, what was left behind, whom it doubts.
#include <sys/socket.h>

#include <algorithm>

#include "upstream/dispatch.h"
#include "upstream/place.h"
#include "upstream/remainder.h"

namespace upstream {

using runtime::Loop;
using runtime::Time;

// ---- Lease ----

const Worker& Lease::worker() const { return place_->about; }

Connection* Lease::connect() {
  if (connection_) return connection_.get();
  std::unique_ptr<Connection> made = Connection::open(desk_->loop_, place_->about);
  if (!made) return nullptr;
  made->desk_ = desk_;
  made->place_ = place_;
  connection_ = std::move(made);
  Dispatch& dispatch = desk_->dispatch_;
  const std::scoped_lock lock(dispatch.lock_);
  place_->shares[desk_->thread_].lease(*connection_);
  // It died in this very moment, and somebody else holds its socket.
  if (place_->has_ended) ::shutdown(connection_->fd(), SHUT_RDWR);
  count(dispatch.board_.worker[place_->about.row].connects);
  return connection_.get();
}

void Lease::give_back(bool reuse, bool has_answered) {
  if (place_ != nullptr) desk_->dispatch_.release(*this, reuse, has_answered);
}

// ---- Desk ----

Desk::Desk(Loop& loop, Dispatch& dispatch, runtime::Call<> on_tidy)
    : loop_(loop),
      dispatch_(dispatch),
      on_tidy_(on_tidy),
      collect_(loop, runtime::bind<&Desk::collect>(this)),
      sweep_(loop, runtime::bind<&Desk::sweep>(this)),
      trust_(loop, runtime::bind<&Desk::trust>(this)),
      look_(loop, runtime::bind<&Desk::look>(this)) {
  const std::scoped_lock lock(dispatch.lock_);
  thread_ = dispatch.desks_.size();
  dispatch.desks_.push_back(this);
  for (auto& place : dispatch.places_) place->shares.resize(dispatch.desks_.size());
}

Desk::~Desk() {
  remainders_.clear();
  dispatch_.close_idle(*this, Time::max());
}

void Desk::leave_behind(Leftover left) { remainders_.push_back(std::make_unique<Remainder>(*this, std::move(left))); }

void Desk::forget(Remainder& remainder) {
  const auto at = std::find_if(remainders_.begin(), remainders_.end(), [&](const auto& r) { return r.get() == &remainder; });
  std::swap(*at, remainders_.back());
  loop_.bury(std::move(remainders_.back()));
  remainders_.pop_back();
  if (remainders_.empty() && on_tidy_) on_tidy_();
}

void Desk::collect() {
  for (;;) {
    Ticket* ticket = nullptr;
    Lease lease;
    std::unique_ptr<Connection> others;
    {
      const std::scoped_lock lock(dispatch_.lock_);
      ticket = granted_.first();
      if (ticket == nullptr) return;
      granted_.remove(*ticket);
      ticket->is_waiting_ = false;
      if (ticket->place_ != nullptr) {
        lease.desk_ = this;
        lease.place_ = ticket->place_;
        lease.is_suspect_ = ticket->is_suspect_;
        others = dispatch_.attach_locked(lease, ticket->may_repeat_);
      }
    }
    if (others) dispatch_.take_over(lease, std::move(others), ticket->may_repeat_);
    ticket->on_leased_(lease);
  }
}

void Desk::sweep() {
  dispatch_.close_idle(*this, loop_.now() - kIdleAtMost);
}

void Desk::doubt(WorkerId worker) {
  const std::scoped_lock lock(dispatch_.lock_);
  Place* const place = dispatch_.find_locked(worker);
  if (place == nullptr || std::exchange(place->is_doubted, true)) return;
  place->doubted = loop_.now();
  if (!trust_.is_armed()) trust_.arm(kWordWithin);
}

/// Who would be dead would have been said to be.
void Desk::trust() {
  const Time then = loop_.now() - kWordWithin;
  const std::scoped_lock lock(dispatch_.lock_);
  for (const auto& place : dispatch_.places_) {
    if (!place->is_doubted) continue;
    place->is_doubted = place->doubted > then;
    if (place->is_doubted && !trust_.is_armed()) trust_.arm_at(place->doubted + kWordWithin);
  }
  dispatch_.pump_locked(this);
  dispatch_.figure_locked();
}

}  // namespace upstream
