// The supervisor's scoreboard: the herd in figures, for `/metrics` and `/-/ready`. The front maps it
// read-only: it has read hostile bytes, and nothing that it does can change what the supervisor says of
// itself. The front's: scoreboard.h.
#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "conf/limits.h"
#include "runtime/digest.h"
#include "upstream/figures.h"
#include "upstream/scoreboard.h"

namespace upstream {

/// The words of `status`, in the order of a life.
inline constexpr std::array<std::string_view, 7> kWorkerStates{"starting", "ready",   "draining", "stopping",
                                                               "ended",    "backoff", "failed"};

/// Why a worker has ended.
enum class ExitReason : std::uint8_t {
  kOrdered,      ///< we wanted it to, and it did so in time
  kExited,       ///< by itself, with an exit status
  kCrashed,      ///< by a signal that programs bring upon themselves
  kOutOfMemory,  ///< surely or probably
  kKilled,       ///< by somebody else's signal
  kTimeout,      ///< by ours, because a clock was over
  kNotStarted,   ///< a step of its start failed
};
inline constexpr std::array<std::string_view, 7> kExitReasons{
    "ordered", "exited", "crashed", "out_of_memory", "killed", "timeout", "not_started"};

/// Where an app is with the first boot of its life.
enum class FirstBoot : std::uint32_t {
  kOver,  ///< a worker has been ready, or there is nothing to boot
  kUnderWay,
  kFailed,  ///< and is tried again
};

struct alignas(kCacheLine) AppHerd {
  std::array<std::atomic<std::uint32_t>, kWorkerStates.size()> workers;  ///< gauges, by state
  std::array<Figure, kExitReasons.size()> exits;                         ///< counters, by ExitReason
  Figure restarts;  ///< starts in a place that had a worker before
  std::atomic<FirstBoot> first_boot;
  std::atomic<std::uint64_t> zygote_memory;  ///< bytes, of all generations' together; looked at every few seconds
};

/// By the worker's row, which only its life long is its own. 0 bytes: nobody's.
struct WorkerMemory {
  std::atomic<std::uint32_t> app, slot;
  std::atomic<std::uint64_t> bytes;  ///< resident, or of a forked one its share; looked at every few seconds
};

/// Of a service of an app. Names are not here: who knows one looks for it by its digest.
struct ServiceHerd {
  std::atomic<std::uint64_t> whose;  ///< digest_of(); 0: nobody's
  AppHerd figures;
};
inline constexpr std::size_t kMaxServices = conf::kMostServicesInAll;
/// `name`: "shop.queue".
constexpr std::uint64_t digest_of(std::string_view name) {
  return runtime::Digest().add(name).value();
}

struct HerdFigures {
  std::atomic<bool> is_stopping;       ///< the order to stop has come; the front may accept for a while yet
  std::atomic<std::uint32_t> workers;  ///< rows from here on no worker has had
  std::array<AppHerd, kMaxApps> app;
  std::array<WorkerMemory, kMaxWorkers> memory;
  std::atomic<std::uint32_t> services;  ///< rows from here on no service has had
  std::array<ServiceHerd, kMaxServices + 1> service;  ///< the last one is nobody's to look at: for one too many
};

/// How it is laid out and what its rows stand for: a program with another one cannot go on with it.
inline constexpr std::uint64_t kHerdLayout =
    runtime::Digest()
        .add({offsetof(AppHerd, workers), offsetof(AppHerd, exits), offsetof(AppHerd, restarts), offsetof(AppHerd, first_boot),
              offsetof(AppHerd, zygote_memory)})
        .add({offsetof(WorkerMemory, app), offsetof(WorkerMemory, slot), offsetof(WorkerMemory, bytes)})
        .add({offsetof(ServiceHerd, whose), offsetof(ServiceHerd, figures)})
        .add({offsetof(HerdFigures, is_stopping), offsetof(HerdFigures, workers), offsetof(HerdFigures, app),
              offsetof(HerdFigures, memory), offsetof(HerdFigures, services), offsetof(HerdFigures, service), sizeof(HerdFigures)})
        .add_all(kWorkerStates)
        .add_all(kExitReasons)
        .value();

using HerdBoard = runtime::SharedMemory<HerdFigures>;
using ReadOnlyHerdBoard = runtime::SharedMemory<const HerdFigures>;

}  // namespace upstream
