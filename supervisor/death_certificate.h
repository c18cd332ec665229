// What is known of the end of a worker's process, put together from all who know a part of it: the kernel (exit,
// peak of memory), the scoreboard (requests served), the front (requests in flight), the pipes (last lines). A
// value; who puts it together and tells it: worker_end.cpp. The words of a cause: exit.h.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "runtime/bytes.h"
#include "runtime/clock.h"
#include "upstream/herd_board.h"
#include "upstream/orders.h"

namespace supervisor {

struct DeathCertificate {
  std::string cause;  ///< "killed from outside (SIGKILL)", or why it could not be started; empty: nobody has died
  upstream::ExitReason reason{};
  pid_t pid = 0;                            ///< 0: there was no process
  runtime::Milliseconds age{};              ///< since its start
  std::uint64_t served = 0;                 ///< requests
  runtime::Bytes peak_memory = 0;           ///< resident, the most it ever had; 0: nobody knows
  std::optional<upstream::Lost> in_flight;  ///< as the front says; empty: it was not asked, or is no more
  std::deque<std::string> last_lines;       ///< that it printed

  bool operator==(const DeathCertificate&) const = default;
};

/// What one front says that was in flight there, beside what others have said.
void add(DeathCertificate& death, const upstream::Lost& lost);

/// All but the lines, in one: "exit status 3; lived 41.0s, served 1204 requests, peak 48MiB; 2 in flight, for 2.1s
/// 0.4s". Empty: nobody has died.
std::string text(const DeathCertificate& death);

/// "41.0s"
std::string lived(const DeathCertificate& death);

/// The ages of what was in flight: "2.1s 0.4s", and "..." behind the oldest ones if there were more.
std::string ages(const upstream::Lost& lost);

/// "48MiB", rounded up; "unknown" for 0.
std::string peak(const DeathCertificate& death);

/// Deaths of an app that had been ready, one like the other: a crash loop need not be told in full each time. Pure.
class CrashLoop {
 public:
  /// That are told with all that is known.
  static constexpr std::size_t kInFull = 3;
  /// The longest between one and the next.
  static constexpr runtime::Milliseconds kSoon{30'000};

  /// One more. How many with this cause have followed each other soon, this one included.
  std::size_t note(const std::string& cause, runtime::Time now);
  /// Those that followed each other were more than are told in full, the last of them a moment ago.
  bool is_on(runtime::Time now) const { return number_ > kInFull && now - last_ <= kSoon; }

 private:
  std::string cause_;       // of the last
  std::size_t number_ = 0;  // in a row
  runtime::Time last_{};
};

}  // namespace supervisor
