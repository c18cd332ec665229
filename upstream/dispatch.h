// Who gets which worker: the slots, the one queue and the idle connections of one app. Shared by the front's threads
// under one short lock. Knows no HTTP. Who is chosen: choose.h.
//
// An exchange asks acquire(): it gets a Lease now, or a place in line and the lease later, from its own loop. A
// worker never has more leases than slots, nor more open connections; with other fronts beside us, all together: dispatch_shared.cpp.
#pragma once
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "runtime/loop.h"
#include "runtime/short_lock.h"
#include "runtime/socket.h"
#include "upstream/app_state.h"
#include "upstream/choose.h"
#include "upstream/connection.h"
#include "upstream/deaths.h"
#include "upstream/inquest.h"
#include "upstream/roster.h"
#include "upstream/scoreboard.h"
#include "upstream/queue.h"
#include "upstream/ticket.h"

namespace upstream {

class Desk;
class Dispatch;
class Remainder;
struct Leftover;
struct Place;

/// A slot in use: a worker, and a connection to it once connect() has been called. Moves; the end is Dispatch::release().
class Lease {
 public:
  Lease() = default;
  Lease(Lease&& other) noexcept : desk_(std::exchange(other.desk_, nullptr)), place_(std::exchange(other.place_, nullptr)), connection_(std::move(other.connection_)), is_suspect_(other.is_suspect_) {}
  Lease& operator=(Lease&& other) noexcept {
    give_back(false);
    desk_ = std::exchange(other.desk_, nullptr);
    place_ = std::exchange(other.place_, nullptr);
    connection_ = std::move(other.connection_);
    is_suspect_ = other.is_suspect_;
    return *this;
  }
  ~Lease() { give_back(false); }

  explicit operator bool() const { return place_ != nullptr; }
  const Worker& worker() const;
  /// The idle connection that came with the lease, or a new one. Null with errno set: the worker takes none.
  Connection* connect();
  Connection& connection() { return *connection_; }
  bool is_connected() const { return connection_ != nullptr; }
  /// The slot is free again. `reuse`: the connection is between two messages and may carry the next one. `has_answered`: the worker
  /// has, to the end, as it must have for `reuse`.
  void give_back(bool reuse, bool has_answered = false);

 private:
  friend class Dispatch;
  friend class Desk;
  Desk* desk_ = nullptr;
  Place* place_ = nullptr;
  std::unique_ptr<Connection> connection_;
  bool is_suspect_ = false;  // counted as one at place_
};

/// What acquire() came to.
enum class Acquired : std::uint8_t {
  kLeased,
  kWaiting,  ///< in line, until Ticket::patience_ends()
  kRefused,  ///< Ticket::refusal() says why
};

/// Who asks for a slot, and how.
struct Ask {
  runtime::AddressKey address = {};       ///< the client's
  bool may_repeat = true;                 ///< the request is safe to run twice
  WorkerId tried = 0;                     ///< a retry: not on this worker, and from the head of the line; 0: the first attempt
  bool is_suspect = false;                ///< a retry, too: a worker may have died of it, so only on one without another suspect
  runtime::Milliseconds queue_timeout{};  ///< in line at most, once the app has had a ready worker

  bool is_retry() const { return tried != 0 || is_suspect; }
};

/// One thread's side of a Dispatch: its loop, its idle connections, the leases granted to its exchanges.
class Desk {
 public:
  /// `on_tidy`: nothing is left behind any more.
  Desk(runtime::Loop& loop, Dispatch& dispatch, runtime::Call<> on_tidy = {});
  ~Desk();
  runtime::Loop& loop() { return loop_; }
  Dispatch& dispatch() { return dispatch_; }
  /// Keeps the slot until the worker has let go.
  void leave_behind(Leftover left);
  bool has_left_behind() const { return !remainders_.empty(); }
  /// It has lost a request, and may be dead: no suspect is tried on it before it has answered somebody again, or nobody has said
  /// within kWordWithin that it is.
  void doubt(WorkerId worker);

 private:
  friend class Dispatch;
  friend class Inquest;
  friend class Lease;
  friend class Remainder;
  friend class Ticket;
  void forget(Remainder& remainder);
  void collect();
  void sweep();
  void trust();
  void look();
  void tell_inquests(WorkerId worker);
  runtime::Loop& loop_;
  Dispatch& dispatch_;
  std::size_t thread_;             // place in Dispatch::desks_
  std::vector<std::unique_ptr<Remainder>> remainders_;
  const runtime::Call<> on_tidy_;
  Line granted_;                   // by the dispatch, under its lock; emptied by collect()
  runtime::Deferred collect_;
  runtime::Timer sweep_;           // closes connections that have been idle too long
  runtime::Timer trust_;           // armed while a worker is doubted because of one of our exchanges
  runtime::Timer look_;            // armed while somebody waits for what another front may free
  std::vector<Inquest*> inquests_; // open ones of our exchanges
};

class Dispatch {
 public:
  /// Of no app as yet. `board`: the app's row and the workers' rows of the scoreboard.
  Dispatch(AppIndex index, Board& board);
  ~Dispatch();

  /// From the desk's thread: a lease now, or a place in line for the ticket, or neither.
  Acquired acquire(Desk& desk, Ticket& ticket, Lease& lease, const Ask& ask);

  // From the front's main loop, by order of the supervisor.
  /// What the app's settings say of its line, from now on; who waits in it stays. Null: the settings in force have no such app.
  /// Who found it in earlier ones is served while a worker takes work, and refused then.
  void configure(const conf::App* app);
  void publish(const Worker& worker);
  /// `on_drained` is posted to `loop` when the worker's last lease has ended; at once if it has none.
  void unpublish(WorkerId worker, runtime::Loop& loop, std::function<void()> on_drained);
  /// The process is dead: its leases see the end of their connections now, whoever else holds the socket. `unexpected`: nobody
  /// had asked for it. When those requests were dispatched that it had in flight, as far as is known; the oldest first.
  std::vector<runtime::Time> ended(WorkerId worker, bool unexpected);
  void set_state(const AppState& state);
  /// Counts what other fronts have taken, as long as there are any. Before there are threads; `fronts` outlives us.
  void share(const Scoreboard& fronts) { fronts_ = &fronts; }
  /// We drain: no idle connection is kept any more, for the next front's requests would wait for it.
  void make_way();

  /// Who is told, from any thread, that a worker does not let go of an exchange (true), or has done it after all.
  using TellStuck = std::function<void(const Worker&, const std::string& exchange, bool is_stuck)>;
  void on_stuck(TellStuck tell) { tell_stuck_ = std::move(tell); }
  /// Who is told, from any thread, that a worker has had Worker::max_requests; once.
  using TellSpent = std::function<void(const Worker&)>;
  void on_spent(TellSpent tell) { tell_spent_ = std::move(tell); }

  /// Who is told, from any thread, that a request waits for an app that is asleep; once until it has a worker.
  using TellWanted = std::function<void(AppIndex)>;
  void on_wanted(TellWanted tell) { tell_wanted_ = std::move(tell); }

  AppFigures& figures() { return figures_; }
  /// From any thread; it may change at any moment.
  Gate gate() const { return gate_.load(std::memory_order_relaxed); }
  /// What is said to who is refused while it is closed.
  std::string notice() const;
  /// Whether a worker other than this one takes work.
  bool has_other(WorkerId worker) const;
  /// As far as the supervisor has said so; Inquest waits for that.
  Death death_of(WorkerId worker) const;

 private:
  friend class Desk;
  friend class Lease;
  friend class Remainder;
  friend class Ticket;
  friend class Connection;

  // Names end in _locked where lock_ is held by the caller.
  Place* find_locked(WorkerId worker);
  std::optional<Refusal> refusal_locked(const Ask& ask);
  bool make_room_locked(const Ask& ask);
  void line_up_locked(Desk& desk, Ticket& ticket, const Ask& ask);
  bool may_come_locked(WorkerId other_than) const;
  bool has_other_locked(WorkerId worker) const;
  bool is_shared() const { return fronts_ != nullptr && fronts_->is_shared(); }
  void look_elsewhere_locked();
  bool fits_locked(Place& place);
  void keep_looking_locked(Desk* here);
  bool yields_locked();
  Place* take_locked(WorkerId tried, bool is_suspect);
  void occupy_locked(Place& place, bool is_suspect);
  void vacate_locked(Place& place, bool is_suspect);
  void opened_locked(Place& place);
  void closed_locked(Place& place);
  void show_locked(const Place& place);
  std::unique_ptr<Connection> attach_locked(Lease& lease, bool may_repeat);
  void take_over(Lease& lease, std::unique_ptr<Connection> others, bool may_repeat);
  std::unique_ptr<Connection> take_own_locked(Desk& desk, Place& place, bool may_repeat);
  std::unique_ptr<Connection> take_others_locked(Place& place);
  void release(Lease& lease, bool reuse, bool has_answered);
  static void bury(std::unique_ptr<Connection> connection);
  void pump_locked(Desk* here);
  void grant_locked(Ticket& ticket, Place& place, Desk* here);
  void refuse_locked(Ticket& ticket, Refusal why);
  void hand_over_locked(Ticket& ticket, Place* place, Desk* here);
  void ungrant_locked(Place& place, Desk& desk, bool is_suspect);
  void refuse_line_locked(Refusal why);
  std::uint64_t requests_left(const Worker& worker) const;
  std::vector<runtime::Time> in_flight_locked(const Place& place) const;
  void call_locked();
  std::uint64_t waits_since_locked() const;
  void end_locked(Place& place);
  void stop_work_locked(Place& place);
  void forget_if_empty_locked(Place& place);
  void close_idle(Desk& desk, runtime::Time used_before);
  void on_idle_closed(Connection& connection);
  void figure_locked();

  TellStuck tell_stuck_;                        // set before a thread uses it
  TellSpent tell_spent_;                        // the same
  TellWanted tell_wanted_;                      // the same
  const AppIndex index_;
  Board& board_;
  const Scoreboard* fronts_ = nullptr;          // null: there are no others
  AppFigures& figures_;
  std::atomic<Gate> gate_ = Gate::kOpen;        // written under the lock; every request looks, so on another cache line than that
  // Guards all below; under it only short calls: shutdown(2), a wake-up, epoll_ctl(2).
  alignas(kCacheLine) mutable runtime::ShortLock lock_;
  std::uint64_t uses_ = 0;                      // leases given so far
  std::uint32_t busy_ = 0;                      // leases now
  std::uint32_t slots_ = 0;                     // of the workers that take work
  std::vector<std::unique_ptr<Place>> places_;  // the roster with its loads
  std::vector<Load*> loads_;                    // the same, for choose()
  std::vector<Desk*> desks_;                    // one a thread
  Queue queue_;                                 // who waits
  runtime::Time moves_since_{};                 // the line: when the first worker, or the first after a sleep, was ready, or a pause over
  Deaths deaths_;                               // of its workers
  std::string name_;                            // the app's, from configure(); like the next five
  std::size_t queue_size_ = 0;
  runtime::Milliseconds boot_timeout_{};
  runtime::Milliseconds target_wait_{};
  bool has_processes_ = false;                  // the supervisor starts workers
  bool has_gone_ = true;                        // the settings in force have no such app
  bool has_looked_elsewhere_ = false;           // there were other fronts then: Load::elsewhere counts
  bool has_yielded_ = false;                    // by the last pump_locked(): the next one does not
  bool has_made_way_ = false;                   // no idle connection is kept
  bool has_been_ready_ = false;                 // a worker was published once, to us or to an earlier front
  bool can_wait_ = true;                        // false: the first boot has failed
  bool is_asleep_ = false;                      // until a worker is published
  bool has_called_ = false;                     // Wanted has been said, since it is asleep
  std::string notice_;                          // while it is closed
};

}  // namespace upstream
