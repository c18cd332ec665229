#include "supervisor/gate.h"

#include <fmt/format.h>

#include <array>
#include <optional>

namespace supervisor {
namespace {

using enum upstream::Gate;
using Cell = std::optional<upstream::Gate>;
constexpr Cell kRefused = std::nullopt;

// clang-format off
constexpr std::array<std::array<Cell, 8>, 4> kTable{{
    //                pause     resume    maintenance on  off       stop      start     restart       rollback
    /* open        */ {kPaused,  kRefused, kMaintenance,   kRefused, kStopped, kRefused, kOpen,        kOpen},
    /* paused      */ {kPaused,  kOpen,    kMaintenance,   kRefused, kStopped, kRefused, kPaused,      kPaused},
    /* maintenance */ {kRefused, kRefused, kMaintenance,   kOpen,    kStopped, kRefused, kMaintenance, kMaintenance},
    /* stopped     */ {kRefused, kRefused, kRefused,       kRefused, kStopped, kOpen,    kRefused,     kRefused},
}};
// clang-format on

constexpr std::array<std::string_view, 8> kOrders{"pause", "resume", "maintenance on", "maintenance off",
                                                 "stop",  "start",  "restart",        "rollback"};

/// What ends that.
constexpr std::array<std::string_view, 4> kWayOut{"", "resume", "maintenance off", "start"};

}  // namespace

runtime::Result<upstream::Gate> gate_after(upstream::Gate now, Turn turn, std::string_view app) {
  const auto row = static_cast<std::size_t>(now), column = static_cast<std::size_t>(turn);
  if (const Cell after = kTable[row][column]) return *after;
  std::string sentence = fmt::format("`{0} {1}` changes nothing: {1} is {2}", kOrders[column], app, upstream::kGates[row]);
  if (now != kOpen) sentence += fmt::format("; `portherd {} {}` ends that", kWayOut[row], app);
  return runtime::fail(runtime::Code::kConfig, std::move(sentence));
}

}  // namespace supervisor
