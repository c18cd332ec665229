#include "supervisor/status_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

namespace supervisor {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kWidth = 80;
constexpr std::size_t kNameWidth = 31;   // of APP/STATE: what the figures leave
constexpr std::size_t kStateWidth = 11;  // the longest is "maintenance"

Json parse(std::string_view text) {
  return Json::parse(text, nullptr, /*allow_exceptions=*/false);
}

const Json& field_of(const Json& json, std::string_view key) {
  static const Json kNone;
  const auto found = json.is_object() ? json.find(key) : json.end();
  return json.is_object() && found != json.end() ? *found : kNone;
}

const Json& list_of(const Json& json, std::string_view key) {
  static const Json kNone = Json::array();
  const Json& list = field_of(json, key);
  return list.is_array() ? list : kNone;
}

// Whatever it is, there is a text for it.
std::string text_of(const Json& json, std::string_view key) {
  const Json& field = field_of(json, key);
  if (field.is_null()) return "-";
  return field.is_string() ? field.get<std::string>()
                           : field.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// No figure is below 0, nor so large that it would break the table.
std::optional<double> number_of(const Json& json, std::string_view key) {
  constexpr double kMost = 999e12;
  const Json& field = field_of(json, key);
  return field.is_number() ? std::optional(std::clamp(field.get<double>(), 0.0, kMost)) : std::nullopt;
}

// Never within a character of UTF-8.
std::string cut(std::string text, std::size_t width) {
  if (text.size() <= width) return text;
  std::size_t end = width - 1;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "~";
}

// In five columns: "7.5", "120", "99999", "123k", "1.2M".
std::string short_number(std::optional<double> number) {
  constexpr double kWhole = 99999, kThousand = 1000, kFraction = 10;
  if (!number) return "-";
  double rest = *number;
  if (rest <= kWhole)
    return fmt::format("{:.{}f}", rest, rest < kFraction && rest != std::trunc(rest) ? 1 : 0);
  std::string_view units = "kMGT";
  for (rest /= kThousand; rest >= kThousand && units.size() > 1; rest /= kThousand) units.remove_prefix(1);
  return fmt::format("{:.{}f}{}", rest, rest < kFraction ? 1 : 0, units.front());
}

std::string short_time(std::optional<double> milliseconds) {
  constexpr double kSecond = 1000, kMost = 60;  // above that no percentile is known: the buckets end there
  if (!milliseconds) return "-";
  if (*milliseconds < kSecond) return fmt::format("{:.{}f}ms", *milliseconds, *milliseconds < 10 ? 1 : 0);
  const double seconds = *milliseconds / kSecond;
  return seconds < kMost ? fmt::format("{:.{}f}s", seconds, seconds < 10 ? 1 : 0) : ">60s";
}

std::string short_memory(double bytes) {
  constexpr double kUnit = 1024, kFraction = 10;
  if (bytes <= 0) return "-";
  double rest = bytes / kUnit / kUnit;
  std::string_view units = "MGT";
  for (; rest >= kUnit && units.size() > 1; rest /= kUnit) units.remove_prefix(1);
  return fmt::format("{:.{}f}{}", rest, rest < kFraction ? 1 : 0, units.front());
}

std::string ready_text(const Json& workers) {
  if (workers.empty()) return "-";
  const auto ready =
      std::ranges::count_if(workers, [](const Json& w) { return text_of(w, "state") == "ready"; });
  return fmt::format("{}/{}", ready, workers.size());
}

// Its share, where that is known.
double memory_of(const Json& process) {
  return number_of(process, "pss").value_or(number_of(process, "memory").value_or(0));
}

double memory_of_all(const Json& app) {
  double sum = 0;
  for (const char* const list : {"extras", "workers", "zygotes"}) {
    for (const Json& process : list_of(app, list)) sum += memory_of(process);
  }
  return sum;
}

std::string name_and_state(const Json& app) {
  const std::string state = cut(text_of(app, "state"), kStateWidth);
  return cut(text_of(app, "name"), kNameWidth - 1 - state.size()) + "/" + state;
}

// One layout for the head and for the apps.
template <class... Columns>
std::string row(const Columns&... columns) {
  return fmt::format("{:<31} {:>9} {:>5} {:>5} {:>5} {:>5} {:>5} {:>8}\n", columns...);
}

// It has no figures of requests.
std::string service_row(const Json& service) {
  const std::string ready = text_of(service, "state") == "ready" ? "1/1" : "0/1";
  std::string rows = row(name_and_state(service), ready, "-", "-", "-", "-",
                         short_memory(number_of(service, "memory").value_or(0)),
                         short_number(number_of(service, "restarts")));
  if (!field_of(service, "last_exit").is_null())
    rows += cut("  last exit: " + text_of(service, "last_exit"), kWidth) + "\n";
  return rows;
}

std::string app_rows(const Json& app) {
  const Json& workers = list_of(app, "workers");
  const Json& rates = field_of(app, "rates");
  std::string rows =
      row(name_and_state(app), ready_text(workers), short_number(number_of(app, "busy")),
          short_number(number_of(app, "queue")), short_number(number_of(rates, "requests_per_second")),
          short_time(number_of(rates, "p95_ms")), short_memory(memory_of_all(app)),
          short_number(number_of(app, "restarts")));
  if (!field_of(app, "last_exit").is_null())
    rows += cut("  last exit: " + text_of(app, "last_exit"), kWidth) + "\n";
  for (const Json& service : list_of(app, "services")) rows += service_row(service);
  return rows;
}

std::string app_head() {
  return row("APP/STATE", "READY", "BUSY", "QUEUE", "REQ/S", "P95", "RSS", "RESTARTS");
}

template <class... Columns>
std::string worker_row(const Columns&... columns) {
  return fmt::format("{:>6} {:<10} {:>10} {:>8}  {:<19} {:>5} {:>7} {:>5}\n", columns...);
}

std::string worker_rows(const Json& worker) {
  constexpr std::size_t kToTheSecond = 19, kNumber = 10;  // "2026-11-27T00:48:05"
  std::string rows = worker_row(
      cut(text_of(worker, "slot"), 6), cut(text_of(worker, "state"), kStateWidth),
      cut(text_of(worker, "generation"), kNumber), cut(text_of(worker, "pid"), 8),
      text_of(worker, "started").substr(0, kToTheSecond), short_number(number_of(worker, "busy")),
      short_number(number_of(worker, "served")), short_memory(memory_of(worker)));
  if (!field_of(worker, "last_exit").is_null())
    rows += cut("       last exit: " + text_of(worker, "last_exit"), kWidth) + "\n";
  return rows;
}

std::string zygote_row(const Json& zygote) {
  return worker_row("zygote", "-", cut(text_of(zygote, "generation"), 10), cut(text_of(zygote, "pid"), 8), "-", "-", "-",
                    short_memory(memory_of(zygote)));
}

std::string output_line(const Json& line) {
  return cut("  " + text_of(line, "worker") + " | " + text_of(line, "line"), kWidth) + "\n";
}

}  // namespace

std::string app_table(std::string_view text) {
  const Json json = parse(text);
  std::string table = app_head();
  for (const Json& app : list_of(json, "apps")) {
    table += app_rows(app) + "\n";
    table += worker_row("WORKER", "STATE", "GENERATION", "PID", "STARTED", "BUSY", "SERVED", "RSS");
    for (const Json& worker : list_of(app, "workers")) table += worker_rows(worker);
    for (const Json& worker : list_of(app, "extras")) table += worker_rows(worker);
    for (const Json& zygote : list_of(app, "zygotes")) table += zygote_row(zygote);
  }
  if (list_of(json, "output").empty()) return table;
  table += "\nLAST OUTPUT\n";
  for (const Json& line : list_of(json, "output")) table += output_line(line);
  return table;
}

std::string status_table(std::string_view text) {
  const Json json = parse(text);
  const std::string head =
      fmt::format("portherd {}  supervisor {}  front {}", text_of(json, "version"),
                  text_of(field_of(json, "supervisor"), "pid"), text_of(field_of(json, "front"), "pid"));
  std::string table = cut(head, kWidth) + "\n";
  for (const Json& address : list_of(json, "listen")) {
    if (address.is_string()) table += cut("  " + address.get<std::string>(), kWidth) + "\n";
  }
  if (list_of(json, "apps").empty()) return table;
  table += "\n" + app_head();
  for (const Json& app : list_of(json, "apps")) table += app_rows(app);
  return table;
}

bool is_all_ready(std::string_view text) {
  const Json json = parse(text);
  if (!json.is_object()) return false;
  return std::ranges::all_of(list_of(json, "apps"), [](const Json& app) {
    return std::ranges::all_of(list_of(app, "workers"),
                               [](const Json& w) { return text_of(w, "state") == "ready"; }) &&
           std::ranges::all_of(list_of(app, "services"), [](const Json& service) {
             const std::string state = text_of(service, "state");
             return state == "ready" || state == "stopped";  // the latter by order
           });
  });
}

std::string status_pretty(std::string_view text) {
  const Json json = parse(text);
  return json.is_discarded() ? std::string(text) : json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace supervisor
