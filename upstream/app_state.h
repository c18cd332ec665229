// What the front must know of an app besides its settings and its workers: whether it boots, sleeps, or is
// kept from its clients by order of the operator. Said by the supervisor (orders.h), obeyed by the app's
// Dispatch.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/bytes.h"
#include "upstream/app.h"

namespace upstream {

/// What becomes of new requests. Those that a worker has are finished in any case.
enum class Gate : std::uint8_t {
  kOpen,
  kPaused,       ///< they wait in line, as many as fit there; queue_timeout does not run
  kMaintenance,  ///< 503 with a notice; who waits in line, too
  kStopped,      ///< the same, and there are no workers
};
inline constexpr std::array<std::string_view, 4> kGates{"open", "paused", "maintenance", "stopped"};

/// Whether they are refused.
constexpr bool is_closed(Gate gate) {
  return gate == Gate::kMaintenance || gate == Gate::kStopped;
}

struct AppState {
  AppIndex app = 0;
  /// False: the first boot has failed; 503 at once until a Publish.
  bool can_wait = true;
  /// A worker was ready, perhaps before this front was there, so requests wait no longer than queue_timeout.
  bool has_been_ready = false;
  /// No worker is there because none was needed: who waits is told of by Wanted, and until the next Publish
  /// requests wait for boot_timeout.
  bool is_asleep = false;
  Gate gate = Gate::kOpen;
  std::string notice;  ///< closed: what the 503 says, at most kMostNotice bytes of UTF-8, one line
};
inline constexpr runtime::Bytes kMostNotice = 1024;

}  // namespace upstream
