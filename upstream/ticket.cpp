#include "upstream/ticket.h"

#include <algorithm>

#include "upstream/dispatch.h"

namespace upstream {

void Ticket::leave() {
  if (!std::exchange(is_waiting_, false)) return;
  Dispatch& dispatch = desk_->dispatch_;
  const std::scoped_lock lock(dispatch.lock_);
  if (!is_granted_) {
    dispatch.queue_.leave(*this);
  } else {
    desk_->granted_.remove(*this);
    if (place_ != nullptr) dispatch.ungrant_locked(*place_, *desk_, is_suspect_);
  }
  dispatch.figure_locked();
}

runtime::Time Ticket::patience_ends() const {
  const Dispatch& dispatch = desk_->dispatch_;
  const std::scoped_lock lock(dispatch.lock_);
  if (dispatch.gate_ == Gate::kPaused) return runtime::Time::max();
  if (!dispatch.has_been_ready_ || dispatch.is_asleep_) return came_ + dispatch.boot_timeout_;
  return std::max(came_, dispatch.moves_since_) + queue_timeout_;
}

void Line::append(Ticket& ticket) {
  ticket.previous_ = last_;
  ticket.next_ = nullptr;
  (last_ != nullptr ? last_->next_ : first_) = &ticket;
  last_ = &ticket;
  ++length_;
}

void Line::remove(Ticket& ticket) {
  (ticket.previous_ != nullptr ? ticket.previous_->next_ : first_) = ticket.next_;
  (ticket.next_ != nullptr ? ticket.next_->previous_ : last_) = ticket.previous_;
  ticket.next_ = ticket.previous_ = nullptr;
  --length_;
}

}  // namespace upstream
