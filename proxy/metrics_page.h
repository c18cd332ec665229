// What the metrics listener says: the page of figures in Prometheus' text format 0.0.4, and whether we are
// ready. Pure: two scoreboards in, text out. The names and labels are docs/design.md's, a contract. Who asks:
// metrics_listener.h.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "conf/settings.h"
#include "proxy/tls_context.h"
#include "upstream/herd_board.h"
#include "upstream/scoreboard.h"

namespace proxy {

struct MetricsSources {
  std::span<const conf::App> apps;
  std::span<const upstream::AppIndex> indexes;  ///< of these apps, in the same order
  const upstream::Scoreboard& fronts;
  const upstream::HerdFigures& herd;
  std::span<const CertificateExpiry> certificates;
};

inline constexpr std::string_view kMetricsType = "text/plain; version=0.0.4; charset=utf-8";
std::string metrics_page(const MetricsSources& sources);

/// Where this front is in its life.
enum class Stage { kStarting, kAccepting, kDraining };

/// Why no new work should come here, in a sentence for people; empty: it may. An app that has been ready once
/// is no reason, whatever has become of it: it has a queue, and the other apps are served.
std::string why_not_ready(Stage stage, std::span<const conf::App> apps, std::span<const upstream::AppIndex> indexes,
                          const upstream::HerdFigures& herd);

}  // namespace proxy
