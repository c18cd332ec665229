// What is counted of an app's requests: as rows in the front's scoreboard (Figure, in shared memory) and as
// their sums (plain numbers). Which event counts where: proxy/tally.h. Where the rows are: scoreboard.h.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "runtime/clock.h"

namespace upstream {

/// A number with one writer, read by any process. Relaxed: these are figures, not synchronisation.
using Figure = std::atomic<std::uint64_t>;
static_assert(Figure::is_always_lock_free);

/// From the one writer: where nobody else writes, a load and a store are enough.
inline void count(Figure& figure, std::uint64_t more = 1) {
  figure.store(figure.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
}
inline void count_down(Figure& figure) {
  figure.store(figure.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
}

namespace detail {
using namespace std::chrono_literals;
inline constexpr std::array<runtime::Microseconds, 15> kBounds{
    1ms, 2500us, 5ms, 10ms, 25ms, 50ms, 100ms, 250ms, 500ms, 1s, 2500ms, 5s, 10s, 30s, 60s};
}  // namespace detail
/// Upper bounds of the buckets of a histogram; one bucket more has what is above the last.
using detail::kBounds;

template <class Number>
struct Histogram {
  std::array<Number, kBounds.size() + 1> bucket{};  ///< each for itself; cumulated where they are shown
  Number sum{};                                     ///< microseconds
};

/// Why a request was not given to its app although nothing was wrong with it.
enum class Refused : std::uint8_t { kQueueFull, kQueueTimeout, kNotBooted, kTooManyFiles, kSpool, kMaintenance, kStopped };
inline constexpr std::array<std::string_view, 7> kRefusedNames{"queue_full",     "queue_timeout", "not_booted", "too_many_files",
                                                               "spool", "maintenance",   "stopped"};

enum class Handshake : std::uint8_t { kOk, kFailed, kTimeout };
inline constexpr std::array<std::string_view, 3> kHandshakeNames{"ok", "failed", "timeout"};

/// No answer has a higher status: the readers refuse it.
inline constexpr std::size_t kStatuses = 600;

/// Counters, but for in_flight.
template <class Number>
struct AppCounts {
  Number served{};     ///< exchanges that ended well with an answer of a worker
  Number failed{};     ///< exchanges that failed by the app's fault or ours
  Number retried{};    ///< attempts after the first
  Number abandoned{};  ///< exchanges whose client left before the end
  Number in_flight{};  ///< gauge: exchanges that have found the app and are not over
  std::array<Number, kRefusedNames.size()> refused{};  ///< by Refused
  Histogram<Number> duration, first_byte, queue_wait;
  std::array<Number, kStatuses> by_status{};
};
using AppTotals = AppCounts<std::uint64_t>;

void add(const Histogram<Figure>& from, Histogram<std::uint64_t>& to);
void add(const AppCounts<Figure>& from, AppTotals& to);

/// Exchanges in all: each has a duration.
std::uint64_t number_of(const Histogram<std::uint64_t>& histogram);

}  // namespace upstream
