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
constexpr std::array<std::array<Cell, 9>, 4> kTable{{
    //                pause     resume    maintenance on  off       stop      start     restart       rollback      scale
    /* open        */ {kPaused,  kRefused, kMaintenance,   kRefused, kStopped, kRefused, kOpen,        kOpen,        kOpen},
    /* paused      */ {kPaused,  kOpen,    kMaintenance,   kRefused, kStopped, kRefused, kPaused,      kPaused,      kPaused},
    /* maintenance */ {kRefused, kRefused, kMaintenance,   kOpen,    kStopped, kRefused, kMaintenance, kMaintenance, kMaintenance},
    /* stopped     */ {kRefused, kRefused, kRefused,       kRefused, kStopped, kOpen,    kRefused,     kRefused,     kRefused},
}};
// clang-format on

constexpr std::array<std::string_view, 9> kOrders{"pause", "resume", "maintenance on", "maintenance off",
                                                 "stop",  "start",  "restart",        "rollback", "scale"};

/// How an app is behind each gate, and what ends that.
constexpr std::array<std::string_view, 4> kHow{"open", "paused", "in maintenance", "stopped"};
constexpr std::array<std::string_view, 4> kWayOut{"", "resume", "maintenance off", "start"};

/// What an order ends, if any.
constexpr std::array<upstream::Gate, 6> kEnds{kOpen, kPaused, kOpen, kMaintenance, kOpen, kStopped};

}  // namespace

runtime::Result<upstream::Gate> gate_after(upstream::Gate now, Turn turn, std::string_view app) {
  const auto row = static_cast<std::size_t>(now), column = static_cast<std::size_t>(turn);
  if (const Cell after = kTable[row][column]) return *after;
  std::string sentence = fmt::format("`{0} {1}` changes nothing: {1} is ", kOrders[column], app);
  if (now == kOpen) {
    sentence += fmt::format("not {}", kHow[static_cast<std::size_t>(kEnds[column])]);
  } else {
    sentence += fmt::format("{}; `portherd {} {}` ends that", kHow[row], kWayOut[row], app);
  }
  return runtime::fail(runtime::Code::kConfig, std::move(sentence));
}

}  // namespace supervisor
