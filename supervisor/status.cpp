#include "supervisor/status.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "conf/units.h"
#include "runtime/clock.h"
#include "runtime/machine.h"

namespace supervisor {
namespace {

using Json = nlohmann::ordered_json;

Json figures_of(const upstream::Scoreboard::WorkerTotals& figures) {
  return {{"busy", figures.busy}, {"served", figures.served}, {"connects", figures.connects}};
}

Json worker_json(const Worker& worker, const upstream::Scoreboard& fronts) {
  Json json{{"slot", worker.slot()}, {"pid", nullptr}, {"state", name(worker.state())}, {"generation", 1}};
  json.update(worker.has_process() ? figures_of(fronts.worker(worker.row()))
                                   : Json{{"busy", 0}, {"served", 0}, {"connects", 0}});
  json["started"] = nullptr;
  json["memory"] = nullptr;
  if (worker.pid() != 0) {
    json["pid"] = worker.pid();
    json["started"] = runtime::rfc3339(worker.started());
    if (const auto memory = runtime::resident_memory(worker.pid())) json["memory"] = *memory;
  }
  json["last_exit"] = worker.last_exit().empty() ? Json() : Json(worker.last_exit());
  return json;
}

// Somebody else supervises it: what we do not know is null.
Json proxy_json(const upstream::Worker& proxy, const upstream::Scoreboard& fronts) {
  Json json{{"slot", proxy.slot}, {"pid", nullptr}, {"state", "ready"}, {"generation", proxy.generation}};
  json.update(figures_of(fronts.worker(proxy.row)));
  json.update({{"started", nullptr}, {"memory", nullptr}, {"last_exit", nullptr}, {"socket", proxy.socket}});
  return json;
}

Json group_json(const Group& group, const upstream::Scoreboard& fronts) {
  const upstream::Scoreboard::AppGauges now = fronts.gauges(group.index());
  const upstream::AppTotals totals = fronts.totals(group.index());
  Json json{{"name", group.app().name}, {"state", group.state()},   {"generation", 1},
            {"queue", now.queue},       {"slots", now.slots},       {"busy", now.busy},
            {"served", totals.served},  {"failed", totals.failed},  {"workers", Json::array()}};
  for (const auto& worker : group.workers()) json["workers"].push_back(worker_json(*worker, fronts));
  for (const upstream::Worker& proxy : group.proxies()) json["workers"].push_back(proxy_json(proxy, fronts));
  return json;
}

// Of something that another process said: whatever it is, there is a text for it.
std::string text_of(const Json& json, std::string_view key) {
  const auto found = json.is_object() ? json.find(key) : json.end();
  if (!json.is_object() || found == json.end() || found->is_null()) return "-";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

const Json& list_of(const Json& json, std::string_view key) {
  static const Json kNone = Json::array();
  const auto found = json.is_object() ? json.find(key) : json.end();
  return json.is_object() && found != json.end() && found->is_array() ? *found : kNone;
}

Json object_of(const Json& json, std::string_view key) {
  const auto found = json.is_object() ? json.find(key) : json.end();
  return json.is_object() && found != json.end() ? *found : Json();
}

std::string memory_text(const Json& worker) {
  const Json memory = object_of(worker, "memory");
  if (!memory.is_number_unsigned()) return "-";
  return fmt::format("{} MiB", memory.get<std::uint64_t>() >> 20);
}

std::string cut(std::string text, std::size_t width) {
  if (text.size() > width) text = text.substr(0, width - 1) + "~";
  return text;
}

Json parse(std::string_view text) {
  return Json::parse(text, nullptr, /*allow_exceptions=*/false);
}

}  // namespace

std::string status_json(const StatusSources& sources) {
  Json json{{"version", PORTHERD_VERSION},
            {"supervisor", {{"pid", ::getpid()}}},
            {"front", {{"pid", sources.front == 0 ? Json() : Json(sources.front)}}},
            {"listen", Json::array()},
            {"apps", Json::array()}};
  for (const Listener& listener : sources.listeners.all()) json["listen"].push_back(listener.url());
  for (const auto& group : sources.groups) json["apps"].push_back(group_json(*group, sources.fronts));
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string status_table(std::string_view text) {
  const Json json = parse(text);
  std::string table =
      fmt::format("portherd {}  supervisor {}  front {}\n", text_of(json, "version"),
                  text_of(object_of(json, "supervisor"), "pid"), text_of(object_of(json, "front"), "pid"));
  for (const Json& address : list_of(json, "listen")) {
    if (address.is_string()) table += fmt::format("  {}\n", cut(address.get<std::string>(), 78));
  }
  for (const Json& app : list_of(json, "apps")) {
    table +=
        fmt::format("\n{}: {}\n  {} of {} slots busy, {} waiting, {} served, {} failed\n",
                    text_of(app, "name"), text_of(app, "state"), text_of(app, "busy"), text_of(app, "slots"),
                    text_of(app, "queue"), text_of(app, "served"), text_of(app, "failed"));
    table += fmt::format(" {:>4} {:>7} {:<8} {:>5} {:>9} {:>10}  {}\n", "slot", "pid", "state", "busy",
                         "served", "memory", "last exit");
    for (const Json& worker : list_of(app, "workers")) {
      table +=
          fmt::format(" {:>4} {:>7} {:<8} {:>5} {:>9} {:>10}  {}\n", text_of(worker, "slot"),
                      text_of(worker, "pid"), text_of(worker, "state"), text_of(worker, "busy"),
                      text_of(worker, "served"), memory_text(worker), cut(text_of(worker, "last_exit"), 29));
    }
  }
  return table;
}

bool is_all_ready(std::string_view text) {
  const Json json = parse(text);
  if (!json.is_object()) return false;
  for (const Json& app : list_of(json, "apps")) {
    for (const Json& worker : list_of(app, "workers")) {
      if (text_of(worker, "state") != "ready") return false;
    }
  }
  return true;
}

std::string status_pretty(std::string_view text) {
  const Json json = parse(text);
  return json.is_discarded() ? std::string(text) : json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace supervisor
