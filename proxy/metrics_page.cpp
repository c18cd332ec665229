#include "proxy/metrics_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <map>
#include <string_view>
#include <utility>

namespace proxy {
namespace {

using upstream::AppTotals;
using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

constexpr double kMicroseconds = 1e6;  // in a second

/// Backslash, quote and line feed, as the format asks (Prometheus, "Text format details").
void append_escaped(std::string_view value, std::string& to) {
  for (const char c : value) {
    if (c == '\n') {
      to += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') to += '\\';
    to += c;
  }
}

/// All that has one name stands together, below its HELP and TYPE.
class Page {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    text_ += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
  }

  template <class Number>
  void sample(Labels labels, Number value) {
    line({}, labels, {}, value);
  }

  void histogram(std::string_view app, const upstream::Histogram<std::uint64_t>& histogram) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < histogram.bucket.size(); ++i) {
      sum += histogram.bucket[i];
      line("_bucket", {{"app", app}}, bound(i), sum);
    }
    line("_sum", {{"app", app}}, {}, static_cast<double>(histogram.sum) / kMicroseconds);
    line("_count", {{"app", app}}, {}, sum);
  }

  std::string take() { return std::move(text_); }

 private:
  static std::string bound(std::size_t bucket) {
    if (bucket == upstream::kBounds.size()) return "+Inf";
    return fmt::format("{}", static_cast<double>(upstream::kBounds[bucket].count()) / kMicroseconds);
  }

  template <class Number>
  void line(std::string_view suffix, Labels labels, std::string_view le, Number value) {
    text_.append(name_).append(suffix);
    char before = '{';
    for (const auto& [label, label_value] : labels) add_label(std::exchange(before, ','), label, label_value);
    if (!le.empty()) add_label(std::exchange(before, ','), "le", le);
    if (before == ',') text_ += '}';
    text_ += fmt::format(" {}\n", value);
  }

  void add_label(char before, std::string_view label, std::string_view value) {
    text_.append(1, before).append(label).append("=\"");
    append_escaped(value, text_);
    text_ += '"';
  }

  std::string_view name_;
  std::string text_;
};

/// An app as the page shows it. Requests that found no app have none: their label is empty.
struct Shown {
  std::string_view name;
  AppTotals totals;
};

std::vector<Shown> look(const MetricsSources& sources) {
  std::vector<Shown> shown;
  for (std::size_t i = 0; i < sources.apps.size(); ++i) {
    shown.push_back({sources.apps[i].name, sources.fronts.totals(sources.indexes[i])});
  }
  shown.push_back({"", sources.fronts.totals(upstream::kNoApp)});
  return shown;
}

void put_requests(Page& page, std::span<const Shown> all) {
  page.family("portherd_requests_total", "counter",
              "Requests that have ended, by status code; 499: the client left first.");
  for (const Shown& app : all) {
    for (std::size_t status = 0; status < app.totals.by_status.size(); ++status) {
      const std::uint64_t number = app.totals.by_status[status];
      if (number > 0) page.sample({{"app", app.name}, {"code", fmt::format("{:03}", status)}}, number);
    }
  }
}

void put_histogram(Page& page, std::string_view name, std::string_view help, std::span<const Shown> apps,
                   upstream::Histogram<std::uint64_t> AppTotals::*which) {
  page.family(name, "histogram", help);
  for (const Shown& app : apps) page.histogram(app.name, app.totals.*which);
}

void put_number(Page& page, std::string_view name, std::string_view type, std::string_view help,
                std::span<const Shown> apps, std::uint64_t AppTotals::*which) {
  page.family(name, type, help);
  for (const Shown& app : apps) page.sample({{"app", app.name}}, app.totals.*which);
}

void put_refused(Page& page, std::span<const Shown> apps) {
  page.family("portherd_refused_total", "counter",
              "Requests that were answered 503 instead of being given to the app.");
  for (const Shown& app : apps) {
    for (std::size_t i = 0; i < upstream::kRefusedNames.size(); ++i) {
      page.sample({{"app", app.name}, {"reason", upstream::kRefusedNames[i]}}, app.totals.refused[i]);
    }
  }
}

void put_gauge(Page& page, std::string_view name, std::string_view help, const MetricsSources& sources,
               std::uint64_t upstream::Scoreboard::AppGauges::*which) {
  page.family(name, "gauge", help);
  for (std::size_t i = 0; i < sources.apps.size(); ++i) {
    page.sample({{"app", sources.apps[i].name}},
                sources.fronts.gauges(sources.indexes[i]).*which);
  }
}

void put_exits(Page& page, const MetricsSources& sources) {
  page.family("portherd_worker_exits_total", "counter", "Ends of worker processes, by reason.");
  for (std::size_t i = 0; i < sources.apps.size(); ++i) {
    for (std::size_t reason = 0; reason < upstream::kExitReasons.size(); ++reason) {
      page.sample({{"app", sources.apps[i].name}, {"reason", upstream::kExitReasons[reason]}},
                  sources.herd.app[sources.indexes[i]].exits[reason].load());
    }
  }
}

void put_states(Page& page, const MetricsSources& sources) {
  page.family("portherd_workers", "gauge", "Workers, by state.");
  for (std::size_t i = 0; i < sources.apps.size(); ++i) {
    for (std::size_t state = 0; state < upstream::kWorkerStates.size(); ++state) {
      page.sample({{"app", sources.apps[i].name}, {"state", upstream::kWorkerStates[state]}},
                  sources.herd.app[sources.indexes[i]].workers[state].load());
    }
  }
}

/// A service as the page shows it.
struct ShownService {
  std::string_view app, name;
  std::uint64_t ready = 0;
  std::array<std::uint64_t, upstream::kExitReasons.size()> exits{};
};

/// Where one goes while another one comes by its name there are two rows for a while.
ShownService look(const upstream::HerdFigures& herd, const conf::App& app, const conf::Service& service) {
  constexpr std::size_t kReady = 1;
  static_assert(upstream::kWorkerStates[kReady] == "ready");
  ShownService shown{.app = app.name, .name = service.name};
  const std::uint64_t whose = upstream::digest_of(conf::service_name(app, service));
  const std::size_t rows = std::min<std::size_t>(herd.services, upstream::kMaxServices);
  for (std::size_t row = 0; row < rows; ++row) {
    if (herd.service[row].whose != whose) continue;
    const upstream::AppHerd& figures = herd.service[row].figures;
    shown.ready += figures.workers[kReady];
    for (std::size_t reason = 0; reason < shown.exits.size(); ++reason) shown.exits[reason] += figures.exits[reason];
  }
  return shown;
}

void put_services(Page& page, const MetricsSources& sources) {
  std::vector<ShownService> all;
  for (const conf::App& app : sources.apps) {
    for (const conf::Service& service : app.services) all.push_back(look(sources.herd, app, service));
  }
  page.family("portherd_service_up", "gauge", "Whether the service runs, and has become ready.");
  for (const ShownService& service : all) page.sample({{"app", service.app}, {"service", service.name}}, service.ready);
  page.family("portherd_service_exits_total", "counter", "Ends of the service's processes, by reason.");
  for (const ShownService& service : all) {
    for (std::size_t reason = 0; reason < upstream::kExitReasons.size(); ++reason) {
      page.sample({{"app", service.app}, {"service", service.name}, {"reason", upstream::kExitReasons[reason]}},
                  service.exits[reason]);
    }
  }
}

/// By place: while one process takes a place over from another, it has the memory of both.
void put_memory(Page& page, const MetricsSources& sources) {
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> by_place;
  const std::size_t rows = std::min<std::size_t>(sources.herd.workers, upstream::kMaxWorkers);
  for (std::size_t row = 0; row < rows; ++row) {
    const upstream::WorkerMemory& memory = sources.herd.memory[row];
    if (memory.bytes != 0) by_place[{memory.app, memory.slot}] += memory.bytes;
  }
  page.family("portherd_worker_memory_bytes", "gauge", "Resident memory of the worker in this place; with preload its share, and the zygotes have a place of their own.");
  for (const auto& [place, bytes] : by_place) {
    const auto at = std::ranges::find(sources.indexes, place.first);
    if (at == sources.indexes.end()) continue;
    const conf::App& app = sources.apps[static_cast<std::size_t>(at - sources.indexes.begin())];
    page.sample({{"app", app.name}, {"slot", fmt::to_string(place.second)}}, bytes);
  }
  for (std::size_t i = 0; i < sources.apps.size(); ++i) {
    const std::uint64_t bytes = sources.herd.app[sources.indexes[i]].zygote_memory;
    if (bytes != 0) page.sample({{"app", sources.apps[i].name}, {"slot", "zygote"}}, bytes);
  }
}

void put_front(Page& page, const MetricsSources& sources) {
  page.family("portherd_connections", "gauge", "Connections of clients.");
  page.sample({}, sources.fronts.connections());
  page.family("portherd_tls_handshakes_total", "counter", "TLS handshakes that have ended, by result.");
  for (std::size_t i = 0; i < upstream::kHandshakeNames.size(); ++i) {
    page.sample({{"result", upstream::kHandshakeNames[i]}},
                sources.fronts.handshakes(static_cast<upstream::Handshake>(i)));
  }
  page.family("portherd_certificate_expiry_seconds", "gauge",
              "When the certificate expires, in seconds since 1970.");
  for (const CertificateExpiry& certificate : sources.certificates) {
    page.sample({{"name", certificate.name}}, certificate.seconds);
  }
}

}  // namespace

std::string metrics_page(const MetricsSources& sources) {
  using Gauges = upstream::Scoreboard::AppGauges;
  const std::vector<Shown> all = look(sources);
  const std::span<const Shown> apps(all.data(), sources.apps.size());
  Page page;
  page.family("portherd_build_info", "gauge", "Always 1; the version is in the label.");
  page.sample({{"version", PORTHERD_VERSION}}, 1);
  put_requests(page, all);
  put_histogram(page, "portherd_request_duration_seconds",
                "From the head of a request to the end of its answer.", apps, &AppTotals::duration);
  put_histogram(page, "portherd_first_byte_seconds",
                "From the head of a request to the head of the app's answer.", apps, &AppTotals::first_byte);
  put_histogram(page, "portherd_queue_wait_seconds", "In line for a slot, all attempts together.", apps,
                &AppTotals::queue_wait);
  put_gauge(page, "portherd_queue_depth", "Requests in line.", sources, &Gauges::queue);
  put_number(page, "portherd_requests_in_flight", "gauge", "Requests that have begun and are not over.", apps,
             &AppTotals::in_flight);
  put_gauge(page, "portherd_slots", "Requests that the ready workers can take at the same time.", sources,
            &Gauges::slots);
  put_gauge(page, "portherd_slots_busy", "Slots in use.", sources, &Gauges::busy);
  put_refused(page, apps);
  put_number(page, "portherd_retries_total", "counter", "Attempts after the first.", apps,
             &AppTotals::retried);
  put_number(page, "portherd_abandoned_total", "counter", "Requests whose client left before the end.", apps,
             &AppTotals::abandoned);
  put_exits(page, sources);
  put_memory(page, sources);
  put_states(page, sources);
  put_services(page, sources);
  put_front(page, sources);
  return page.take();
}

std::string why_not_ready(Stage stage, std::span<const conf::App> apps, std::span<const upstream::AppIndex> indexes,
                          const upstream::HerdFigures& herd) {
  if (stage == Stage::kStarting) return "the front is starting";
  if (stage == Stage::kDraining || herd.is_stopping) return "draining";
  for (std::size_t i = 0; i < apps.size(); ++i) {
    switch (herd.app[indexes[i]].first_boot.load()) {
      case upstream::FirstBoot::kOver:
        break;
      case upstream::FirstBoot::kUnderWay:
        return fmt::format("app {} boots for the first time", apps[i].name);
      case upstream::FirstBoot::kFailed:
        return fmt::format("app {} has not booted yet; the first try has failed", apps[i].name);
    }
  }
  return {};
}

}  // namespace proxy
