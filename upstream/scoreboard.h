// The front's scoreboard: figures in shared memory that the front counts and the supervisor reads (for
// `status`), and the front itself (for `/metrics`); nothing is asked over a wire. The supervisor's own:
// herd_board.h.
//
// One block for each front that lives; two do while one takes over from the other. The block of one that has
// ended goes to the next, which counts on from what it finds, so counters never fall, however a front ended;
// its gauges are set to zero. A figure is the sum over all blocks.
//
// Each row has one writer: a thread, or whoever holds the lock of the app's Dispatch; and its own cache
// lines.
#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "conf/limits.h"
#include "runtime/digest.h"
#include "runtime/shared_memory.h"
#include "upstream/app.h"
#include "upstream/figures.h"

namespace upstream {

inline constexpr std::size_t kMaxApps = conf::kMostApps;
inline constexpr std::size_t kMaxWorkers = conf::kMostWorkers;  ///< alive at the same time, over all apps
inline constexpr std::size_t kMaxThreads = conf::kMostThreads;  ///< of a front
inline constexpr std::size_t kMaxFronts = 4;                    ///< alive at the same time
inline constexpr std::size_t kNoApp = kMaxApps;                 ///< the row of requests that no app has had
inline constexpr std::size_t kCacheLine = 64;

/// Of an app; written under its Dispatch's lock. Gauges, but for two counters.
struct alignas(kCacheLine) AppFigures {
  std::atomic<std::uint32_t> queue;  ///< requests in line
  std::atomic<std::uint32_t> slots;  ///< of all published workers
  std::atomic<std::uint32_t> busy;   ///< leases
  /// Since when the next one in line waits for a slot, on the steady clock in milliseconds; 0: nobody does.
  std::atomic<std::uint64_t> waits_since;
  Figure late;       ///< counter: leases for who had waited for longer than target_wait
  Figure unspared;   ///< counter: leases that there had been no slot for with one worker fewer
};

/// One row for each living worker; the supervisor gives rows out and clears them. Written under the lock of its
/// app's Dispatch.
struct alignas(kCacheLine) WorkerFigures {
  std::atomic<std::uint64_t> served;    ///< counter since the worker's start: requests that it has answered to the end
  std::atomic<std::uint64_t> connects;  ///< counter: connections opened to it
  std::atomic<std::uint32_t> busy;      ///< gauge: leases
  std::atomic<std::uint32_t> taken;     ///< gauge: slots, by leases and by idle connections; for other fronts
};

/// What the Dispatches write.
struct Board {
  std::array<AppFigures, kMaxApps> app;
  std::array<WorkerFigures, kMaxWorkers> worker;
};

struct alignas(kCacheLine) ThreadFigures {
  std::atomic<std::uint64_t> heartbeat;    ///< steady clock, milliseconds; written at least once a second
  std::atomic<std::uint32_t> connections;  ///< gauge: clients
  std::array<Figure, kHandshakeNames.size()> handshakes;  ///< counters, by Handshake
  /// A bit for each of its rows that was ever written. Readers leave the others alone: a look would give them
  /// memory.
  std::array<Figure, kMaxApps / 64 + 1> has_row;
};

struct alignas(kCacheLine) AppRow : AppCounts<Figure> {};

/// All that one front counts.
struct Block {
  std::atomic<std::uint32_t> threads;       ///< gauge: of the front that has it
  std::atomic<std::uint32_t> most_threads;  ///< that any front of this block had
  std::array<ThreadFigures, kMaxThreads> thread;
  Board board;
  std::array<std::array<AppRow, kMaxApps + 1>, kMaxThreads> row;  ///< by thread and app

  /// By the front, before any of them runs.
  void set_threads(std::size_t number);
  /// The row in which a thread counts for `app`, or for kNoApp.
  AppRow& row_of(std::size_t thread_index, std::size_t app);
};

/// The whole file. Some 300 MiB of holes: memory is taken by the pages that are written.
struct Blocks {
  std::atomic<std::uint32_t> next;  ///< the block of the front that starts now
  std::atomic<std::uint32_t> used;  ///< blocks from here on no front has had
  std::atomic<std::uint32_t> living;  ///< fronts
  std::array<Block, kMaxFronts> block;
};

/// How it is laid out and what its rows stand for: a program with another one cannot go on with it.
inline constexpr std::uint64_t kBlocksLayout =
    runtime::Digest()
        .add({offsetof(AppFigures, queue), offsetof(AppFigures, slots), offsetof(AppFigures, busy), offsetof(AppFigures, waits_since),
              offsetof(AppFigures, late), offsetof(AppFigures, unspared), sizeof(AppFigures)})
        .add({offsetof(WorkerFigures, served), offsetof(WorkerFigures, connects), offsetof(WorkerFigures, busy),
              offsetof(WorkerFigures, taken), sizeof(WorkerFigures)})
        .add({offsetof(ThreadFigures, heartbeat), offsetof(ThreadFigures, connections), offsetof(ThreadFigures, handshakes),
              offsetof(ThreadFigures, has_row), sizeof(ThreadFigures)})
        .add({offsetof(AppRow, served), offsetof(AppRow, failed), offsetof(AppRow, retried), offsetof(AppRow, abandoned),
              offsetof(AppRow, in_flight), offsetof(AppRow, refused), offsetof(AppRow, duration), offsetof(AppRow, first_byte),
              offsetof(AppRow, queue_wait), offsetof(AppRow, by_status), sizeof(AppRow)})
        .add({offsetof(Board, app), offsetof(Board, worker), sizeof(Board)})
        .add({offsetof(Block, threads), offsetof(Block, most_threads), offsetof(Block, thread), offsetof(Block, board),
              offsetof(Block, row), sizeof(Block)})
        .add({offsetof(Blocks, next), offsetof(Blocks, used), offsetof(Blocks, living), offsetof(Blocks, block), sizeof(Blocks)})
        .add_all(kRefusedNames)
        .add_all(kHandshakeNames)
        .value();

class Scoreboard {
 public:
  static runtime::Result<Scoreboard> make();
  /// In a front: maps what the supervisor made, and finds the block that it was given.
  static runtime::Result<Scoreboard> adopt(runtime::Fd);

  int fd() const { return memory_.fd(); }
  /// A front's own block.
  Block& operator*() const { return *own_; }
  Block* operator->() const { return own_; }
  /// Another front lives: from before it starts until it has been reaped.
  bool is_shared() const { return memory_->living.load(std::memory_order_relaxed) > 1; }
  /// Slots of the worker of this row that all other fronts have taken.
  std::uint64_t taken_elsewhere(std::uint32_t row) const;
  /// AppFigures::waits_since, the earliest of all other fronts.
  std::uint64_t waits_since_elsewhere(AppIndex app) const;

  // By the supervisor.
  /// A free block for the front that is started next; all gauges are zero. Nothing: kMaxFronts live.
  std::optional<std::size_t> begin_front();
  /// Fronts that live have these blocks, and this many rows have been used by workers: for a supervisor that goes on
  /// with another one's scoreboard.
  void go_on(const std::vector<std::size_t>& blocks, std::size_t workers);
  /// It has ended: its gauges are void, its counters stay.
  void end_front(std::size_t block);
  Block& block(std::size_t index) const { return memory_->block[index]; }
  /// A worker's row before it is given to one.
  void clear_worker(std::uint32_t row);

  // Sums over all fronts, unless it says otherwise.
  struct AppGauges {
    std::uint64_t queue = 0, busy = 0;
    std::uint64_t slots = 0;               ///< the most that a front knows: all have the same workers
    std::uint64_t waits_since = 0;         ///< the earliest; 0: nobody waits
    std::uint64_t late = 0, unspared = 0;  ///< counters
  };
  struct WorkerTotals {
    std::uint64_t served = 0, connects = 0, busy = 0;
  };
  AppTotals totals(std::size_t app) const;
  /// Of the totals the durations alone.
  Histogram<std::uint64_t> durations(std::size_t app) const;
  AppGauges gauges(AppIndex app) const;
  WorkerTotals worker(std::uint32_t row) const;
  std::uint64_t connections() const;
  std::uint64_t handshakes(Handshake result) const;

 private:
  explicit Scoreboard(runtime::SharedMemory<Blocks> memory)
      : memory_(std::move(memory)), own_(&memory_->block[memory_->next % kMaxFronts]) {}
  void count_living();
  template <class F>
  void for_each_block(F each) const;
  template <class F>
  void for_each_row(std::size_t app, F each) const;

  runtime::SharedMemory<Blocks> memory_;
  Block* own_;  // in memory_
  // The supervisor's, and not in memory_: there a front could change them.
  std::array<bool, kMaxFronts> is_taken_{};  // blocks of fronts that live
  std::size_t workers_ = 0;                  // rows from here on no worker has had
};

}  // namespace upstream
