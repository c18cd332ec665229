// Figures in shared memory: the front counts, the supervisor reads (for `status`); nothing is asked over a wire.
// The supervisor makes one memfd at its start and hands it to every front, so counters never fall when a front is
// replaced; a new front sets the gauges to zero.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "conf/limits.h"
#include "runtime/fd.h"
#include "runtime/result.h"

namespace upstream {

inline constexpr std::size_t kMaxApps = conf::kMostApps;
inline constexpr std::size_t kMaxWorkers = conf::kMostWorkers;  ///< alive at the same time, over all apps
inline constexpr std::size_t kMaxThreads = conf::kMostThreads;  ///< of a front

/// Counters only rise; gauges say what is now. All relaxed: they are figures, not synchronisation.
struct alignas(64) AppFigures {
  std::atomic<std::uint64_t> served;   ///< counter: exchanges ended with an answer of the app
  std::atomic<std::uint64_t> failed;   ///< counter: exchanges that we answered 5xx, or cut
  std::atomic<std::uint64_t> refused;  ///< counter: 503 for a full queue or queue_timeout; also in `failed`
  std::atomic<std::uint64_t> retried;  ///< counter: second attempts
  std::atomic<std::uint32_t> queue;    ///< gauge: requests in line
  std::atomic<std::uint32_t> slots;    ///< gauge: of all published workers
  std::atomic<std::uint32_t> busy;     ///< gauge: leases
};

/// One row for each living worker; the supervisor gives rows out and clears them.
struct alignas(64) WorkerFigures {
  std::atomic<std::uint64_t> served;  ///< counter since the worker's start
  std::atomic<std::uint64_t> connects;  ///< counter: connections opened to it
  std::atomic<std::uint32_t> busy;    ///< gauge: leases
};

struct alignas(64) ThreadFigures {
  std::atomic<std::uint64_t> heartbeat;  ///< steady clock, milliseconds; written at least once a second
  std::atomic<std::uint32_t> connections;  ///< gauge: clients
};

struct Board {
  std::atomic<std::uint32_t> threads;  ///< gauge: of the running front
  std::array<ThreadFigures, kMaxThreads> thread;
  std::array<AppFigures, kMaxApps> app;
  std::array<WorkerFigures, kMaxWorkers> worker;
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

/// A mapped board.
class Scoreboard {
 public:
  /// A new one, all zero, in a memfd (sealed against a change of size).
  static runtime::Result<Scoreboard> make();
  /// Maps what another process made. Refuses a file of the wrong size.
  static runtime::Result<Scoreboard> adopt(runtime::Fd);

  int fd() const { return fd_.get(); }
  Board& operator*() const { return *board_; }
  Board* operator->() const { return board_.get(); }

  /// What a new front does first: queue, slots, busy, connections and heartbeats are zero again.
  void clear_gauges();

 private:
  struct Unmap {
    void operator()(Board*) const;
  };
  Scoreboard(runtime::Fd fd, Board* board) : fd_(std::move(fd)), board_(board) {}
  runtime::Fd fd_;
  std::unique_ptr<Board, Unmap> board_;
};

}  // namespace upstream
