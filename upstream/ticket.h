// A place in line for a lease, and a line of them. Who is next: queue.h; who gets what: dispatch.h.
#pragma once
#include <cstddef>
#include <cstdint>

#include "runtime/loop.h"
#include "upstream/roster.h"

namespace upstream {

class Desk;
class Lease;
struct Lane;
struct Place;

/// Why a request gets no slot.
enum class Refusal : std::uint8_t {
  kFull,       ///< the line has queue_size requests, none of them of an address that has more than its share
  kTimeout,    ///< patience_ends() was over; said by who waits, whose clock it is
  kClosed,     ///< by order of the operator: Dispatch::notice()
  kNotBooted,  ///< no worker has ever become ready, and the first boot has failed
  kNoOther,    ///< a retry, and nobody else is there nor will come
  kGone,       ///< the settings have no such app any more, and its last worker takes no work
};

/// A place in line. Destroying it leaves the line, or gives the slot back that was just granted.
class Ticket {
 public:
  /// `on_leased` is called from the desk's loop; with an empty lease it is refused, and refusal() says why.
  explicit Ticket(runtime::Call<Lease&> on_leased) : on_leased_(on_leased) {}
  ~Ticket() { leave(); }
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;
  void leave();
  bool is_waiting() const { return is_waiting_; }
  /// Of an ask that was refused, by acquire() or later.
  Refusal refusal() const { return refusal_; }
  /// While it waits: until when. That is boot_timeout after it came, or queue_timeout after it came or the app's first worker was
  /// ready (the first after a sleep, too) or a pause was over, whichever was last; never while it is paused. It changes at that
  /// moment: to be asked again after queue_timeout at most.
  runtime::Time patience_ends() const;

 private:
  friend class Dispatch;
  friend class Desk;
  friend class Line;
  friend class Queue;
  runtime::Call<Lease&> on_leased_;
  bool is_waiting_ = false;   // from acquire() to on_leased_ or leave(); only our own thread looks at it
  Refusal refusal_ = Refusal::kNotBooted;  // set by acquire(), or under the lock before on_leased_ with an empty lease
  // The rest is guarded by the dispatch's lock while is_waiting_.
  bool is_granted_ = false;   // in desk_->granted_; else in the line
  Desk* desk_ = nullptr;      // whose thread this is
  runtime::Time came_{};      // when it was lined up
  runtime::Milliseconds queue_timeout_{};
  Lane* lane_ = nullptr;      // in line: its address's; null: it is a retry
  Place* place_ = nullptr;    // granted, with a slot counted for us; null and granted: refused
  Ticket* next_ = nullptr;    // in line, or among the desk's granted ones
  Ticket* previous_ = nullptr;
  WorkerId tried_ = 0;        // a retry: not this one
  bool is_suspect_ = false;   // nor one that has another suspect
  bool may_repeat_ = true;    // false: never on a connection that the worker may be closing
};

/// A doubly linked line of tickets.
class Line {
 public:
  Ticket* first() const { return first_; }
  Ticket* last() const { return last_; }
  std::size_t length() const { return length_; }
  void append(Ticket& ticket);
  void remove(Ticket& ticket);

 private:
  Ticket* first_ = nullptr;
  Ticket* last_ = nullptr;
  std::size_t length_ = 0;
};

}  // namespace upstream
