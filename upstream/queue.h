// Who waits for a worker of one app, and whose turn it is. First come, first served; between client addresses by turns, so that
// while two of them wait none has the whole line. Retries have waited before: they are in front, and may be passed over, for
// each may go to some workers only. Guarded by the dispatch's lock; allocates for an address that has nobody in line yet.
#pragma once
#include <cstddef>
#include <map>

#include "runtime/socket.h"
#include "upstream/ticket.h"

namespace upstream {

/// The requests of one client address that wait, and its neighbours in the ring of those that have some.
struct Lane {
  runtime::AddressKey address;
  Line waiting;
  Lane* next = nullptr;
  Lane* previous = nullptr;
};

class Queue {
 public:
  std::size_t length() const { return length_; }
  /// Whether somebody waits for any worker at all.
  bool has_first_attempts() const { return turn_ != nullptr; }
  void enter(Ticket& ticket, const runtime::AddressKey& address);
  void enter_again(Ticket& ticket);
  /// Wherever it stands. Whose turn it is stays so.
  void leave(Ticket& ticket);
  /// The first of the retries; others by Ticket's own order.
  Ticket* first_retry() const { return retries_.first(); }
  /// Whose turn it is, of those who wait for any worker. It leaves, and then it is the next address' turn.
  Ticket* first() const { return turn_ != nullptr ? turn_->waiting.first() : nullptr; }
  void served(Ticket& ticket);
  /// The line is full and another request of `address` comes: the one that has to go for it, the last of those of an address that
  /// has at least two more. Null: nobody, the newcomer is one too many.
  Ticket* displaced_by(const runtime::AddressKey& address) const;

 private:
  Lane& lane_of(const runtime::AddressKey& address);
  void close(Lane& lane);

  Line retries_;
  std::map<runtime::AddressKey, Lane> lanes_;  // of addresses with somebody in line
  Lane* turn_ = nullptr;                       // in the ring of all lanes
  std::size_t length_ = 0;
};

}  // namespace upstream
