#include "upstream/ticket.h"

#include "upstream/dispatch.h"

namespace upstream {

void Ticket::leave() {
  if (!std::exchange(is_waiting_, false)) return;
  Dispatch& dispatch = desk_->dispatch_;
  const std::scoped_lock lock(dispatch.lock_);
  if (!is_granted_) {
    dispatch.line_.remove(*this);
  } else {
    desk_->granted_.remove(*this);
    if (place_ != nullptr) dispatch.ungrant_locked(*place_, *desk_);
  }
  dispatch.figure_locked();
}

void Line::append(Ticket& ticket) {
  ticket.previous_ = last_;
  ticket.next_ = nullptr;
  (last_ != nullptr ? last_->next_ : first_) = &ticket;
  last_ = &ticket;
  count(ticket, +1);
}

void Line::prepend(Ticket& ticket) {
  ticket.previous_ = nullptr;
  ticket.next_ = first_;
  (first_ != nullptr ? first_->previous_ : last_) = &ticket;
  first_ = &ticket;
  count(ticket, +1);
}

void Line::remove(Ticket& ticket) {
  (ticket.previous_ != nullptr ? ticket.previous_->next_ : first_) = ticket.next_;
  (ticket.next_ != nullptr ? ticket.next_->previous_ : last_) = ticket.previous_;
  ticket.next_ = ticket.previous_ = nullptr;
  count(ticket, -1);
}

void Line::count(const Ticket& ticket, int by) {
  length_ += static_cast<std::size_t>(by);
  if (ticket.tried_ == 0) first_attempts_ += static_cast<std::size_t>(by);
}

}  // namespace upstream
