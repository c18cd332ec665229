#include "upstream/queue.h"

#include <algorithm>

namespace upstream {

void Queue::enter(Ticket& ticket, const runtime::AddressKey& address) {
  Lane& lane = lane_of(address);
  lane.waiting.append(ticket);
  ticket.lane_ = &lane;
  ++length_;
}

void Queue::enter_again(Ticket& ticket) {
  retries_.append(ticket);
  ticket.lane_ = nullptr;
  ++length_;
}

void Queue::leave(Ticket& ticket) {
  Lane* const lane = ticket.lane_;
  (lane != nullptr ? lane->waiting : retries_).remove(ticket);
  ticket.lane_ = nullptr;
  --length_;
  if (lane != nullptr && lane->waiting.length() == 0) close(*lane);
}

void Queue::served(Ticket& ticket) {
  if (turn_ != nullptr && ticket.lane_ == turn_) turn_ = turn_->next;
  leave(ticket);
}

/// Before the lane whose turn it is: the last one of the round.
Lane& Queue::lane_of(const runtime::AddressKey& address) {
  const auto [at, is_new] = lanes_.try_emplace(address);
  Lane& lane = at->second;
  if (!is_new) return lane;
  lane.address = address;
  lane.next = turn_ != nullptr ? turn_ : &lane;
  lane.previous = turn_ != nullptr ? turn_->previous : &lane;
  lane.next->previous = lane.previous->next = &lane;
  if (turn_ == nullptr) turn_ = &lane;
  return lane;
}

void Queue::close(Lane& lane) {
  if (turn_ == &lane) turn_ = lane.next != &lane ? lane.next : nullptr;
  lane.next->previous = lane.previous;
  lane.previous->next = lane.next;
  lanes_.erase(runtime::AddressKey(lane.address));
}

Ticket* Queue::displaced_by(const runtime::AddressKey& address) const {
  const auto own = lanes_.find(address);
  const std::size_t has = own != lanes_.end() ? own->second.waiting.length() : 0;
  // The most that anyone can have is what the others leave him; under a flood of addresses this is all that is looked at.
  if (lanes_.empty() || length_ - lanes_.size() <= has) return nullptr;
  const auto longest = std::max_element(lanes_.begin(), lanes_.end(), [](const auto& a, const auto& b) {
    return a.second.waiting.length() < b.second.waiting.length();
  });
  return longest->second.waiting.length() > has + 1 ? longest->second.waiting.last() : nullptr;
}

}  // namespace upstream
