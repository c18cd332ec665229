// The event loop, and the waits that a thread can own: IoWatch, Timer, SignalWatch, Deferred.
// The only unit that meets libevent. Not thread-safe, but for post() and stop(): one loop, one thread.
//
// A turn of the loop: wait for events, call what is due, then run what was deferred (flushes), then destroy what was
// buried. Every wait cancels itself in its destructor, so cancelling a thing is destroying it.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "runtime/call.h"
#include "runtime/clock.h"
#include "runtime/fd.h"

struct event;
struct event_base;

namespace runtime {

class Deferred;

struct FreeEvent {
  void operator()(event*) const;
};
using Event = std::unique_ptr<event, FreeEvent>;

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Turns until stop(). May be called again afterwards.
  void run();
  /// One turn: waits at most until the next event or timer; does not wait if `wait` is false.
  void turn(bool wait = true);
  /// From any thread, or from a callback.
  void stop();

  /// The time at which this turn's events were noticed; one reading a turn.
  Time now();
  /// The same moment by the wall clock: what is told of two moments agrees with the time between them.
  WallTime wall_now();

  /// Destroys `dead` at the end of this turn: how an object that is being called from its own callback dies.
  template <class T>
  void bury(std::unique_ptr<T> dead) {
    if (T* body = dead.release()) graves_.push_back({body, [](void* p) { delete static_cast<T*>(p); }});
  }

  /// From any thread: runs `task` on the loop's thread, in the order of the posts. For rare events; wakes the loop.
  void post(std::function<void()> task);

  /// Counts turns; a watchdog can see that it moves.
  std::uint64_t turns() const { return turns_; }

  event_base* base() { return base_; }

 private:
  friend class Deferred;
  struct Grave {
    void* body;
    void (*destroy)(void*);
  };
  void read_clocks();
  void run_posted();
  void run_deferred();
  void dig();

  event_base* base_;
  Fd wake_;                                    // eventfd: post() writes, the loop reads
  Event wake_event_;                           // reading wake_
  std::mutex posted_lock_;                     // guards posted_
  std::vector<std::function<void()>> posted_;  // by other threads, run in a turn
  Deferred* first_deferred_ = nullptr;         // singly linked through Deferred::next_
  Deferred* last_deferred_ = nullptr;
  std::vector<Grave> graves_;                  // to destroy at the end of the turn
  Time now_{};                                 // valid while now_known_
  WallTime wall_now_{};                        // likewise
  bool now_known_ = false;                     // cleared when a turn begins
  bool stopping_ = false;                      // set by stop() on this thread, or by its post
  std::uint64_t turns_ = 0;
};

/// Readiness of a descriptor, level-triggered. Starts with neither interest. The descriptor must outlive the watch.
/// Changing interest is a system call only when it really changes.
class IoWatch {
 public:
  IoWatch(Loop& loop, int fd, Call<> on_readable, Call<> on_writable = {});
  ~IoWatch();
  IoWatch(const IoWatch&) = delete;
  IoWatch& operator=(const IoWatch&) = delete;

  void want_read(bool);
  void want_write(bool);
  bool wants_read() const { return wants_read_; }
  bool wants_write() const { return wants_write_; }
  /// Other callbacks from now on, same interest: a connection that goes from one owner to the next.
  void rebind(Call<> on_readable, Call<> on_writable);

 private:
  static void fire(int, short what, void* self);
  Event read_;
  Event write_;  // made on first use: most connections never wait to write
  Loop& loop_;
  int fd_;
  Call<> on_readable_, on_writable_;
  bool wants_read_ = false, wants_write_ = false;
};

/// Calls once, at or after a deadline. Arming later than before costs nothing: the old alarm finds that it is early
/// and sets itself again, so a deadline that moves with every read is one store.
class Timer {
 public:
  Timer(Loop& loop, Call<> on_due);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void arm(Milliseconds from_now);
  void arm_at(Time deadline);
  void cancel() { armed_ = false; }
  bool is_armed() const { return armed_; }
  Time deadline() const { return deadline_; }

 private:
  void on_alarm();
  void set_alarm(Time at);
  Loop& loop_;
  Call<> on_due_;
  Event event_;        // made on first use
  Time deadline_{};    // what the owner wants; meaningful while armed_
  Time alarm_{};       // what libevent was told; meaningful while alarm_set_
  bool armed_ = false;
  bool alarm_set_ = false;
};

/// Calls for each delivery of a signal, on the loop. One watch for a signal in a process.
class SignalWatch {
 public:
  SignalWatch(Loop& loop, int signal, Call<> on_signal);

 private:
  Call<> on_signal_;
  Event event_;
};

/// Something to do once at the end of this turn, however often it is asked for: flushes are gathered by it.
class Deferred {
 public:
  Deferred(Loop& loop, Call<> run) : loop_(loop), run_(run) {}
  ~Deferred();
  Deferred(const Deferred&) = delete;
  Deferred& operator=(const Deferred&) = delete;

  void schedule();
  bool is_scheduled() const { return scheduled_; }

 private:
  friend class Loop;
  Loop& loop_;
  Call<> run_;
  Deferred* next_ = nullptr;
  bool scheduled_ = false;
};

}  // namespace runtime
