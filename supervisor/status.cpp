#include "supervisor/status.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "runtime/clock.h"
#include "runtime/machine.h"
#include "supervisor/privileges.h"

namespace supervisor {
namespace {

using Json = nlohmann::ordered_json;

Json figures_of(const upstream::Scoreboard::WorkerTotals& figures) {
  return {{"busy", figures.busy}, {"served", figures.served}, {"connects", figures.connects}};
}

// The kernel walks all of a process for the last two, so they are there only where they differ from what is resident.
Json memory_json(pid_t pid, bool is_forked) {
  Json json{{"memory", nullptr}, {"pss", nullptr}, {"shared", nullptr}};
  if (const auto memory = runtime::resident_memory(pid)) json["memory"] = *memory;
  if (const auto held = is_forked ? runtime::held_memory(pid) : std::nullopt) {
    json["pss"] = held->proportional;
    json["shared"] = held->shared;
  }
  return json;
}

Json process_json(const Worker& worker) {
  Json json{{"pid", nullptr}, {"started", nullptr}, {"memory", nullptr}, {"pss", nullptr}, {"shared", nullptr}};
  if (worker.pid() != 0) {
    json["pid"] = worker.pid();
    json["started"] = runtime::rfc3339(worker.started());
    json.update(memory_json(worker.pid(), worker.release()->app.preload));
  }
  json["last_exit"] = worker.last_exit().empty() ? Json() : Json(worker.last_exit());
  return json;
}

Json worker_json(const Worker& worker, const upstream::Scoreboard& fronts) {
  Json json{{"slot", worker.slot()}, {"pid", nullptr}, {"state", name(worker.state())}, {"generation", worker.release()->generation}};
  json.update(worker.has_process() ? figures_of(fronts.worker(worker.row()))
                                   : Json{{"busy", 0}, {"served", 0}, {"connects", 0}});
  json.update(process_json(worker));
  return json;
}

Json zygotes_json(const Group& group) {
  Json json = Json::array();
  for (const auto& [generation, zygote] : group.zygotes()) {
    Json& one = json.emplace_back(Json{{"pid", zygote->pid()}, {"generation", generation}});
    one.update(memory_json(zygote->pid(), /*is_forked=*/true));
  }
  return json;
}

// Somebody else supervises it: what we do not know is null.
Json proxy_json(const upstream::Worker& proxy, const upstream::Scoreboard& fronts) {
  Json json{{"slot", proxy.slot}, {"pid", nullptr}, {"state", "ready"}, {"generation", proxy.generation}};
  json.update(figures_of(fronts.worker(proxy.row)));
  json.update({{"started", nullptr}, {"memory", nullptr}, {"pss", nullptr}, {"shared", nullptr}, {"last_exit", nullptr}, {"socket", proxy.socket}});
  return json;
}

Json rates_json(const Rates& rates) {
  constexpr double kMillisecond = 1000;  // in microseconds
  Json json{{"requests_per_second", rates.requests_per_second()}, {"p95_ms", nullptr}};
  if (const auto p95 = rates.p95()) json["p95_ms"] = static_cast<double>(p95->count()) / kMillisecond;
  return json;
}

Json paused_until(const Group& group) {
  const auto until = group.paused_until();
  if (!until) return {};
  const auto left = std::chrono::duration_cast<runtime::Milliseconds>(*until - runtime::Clock::now());
  return runtime::rfc3339(std::chrono::system_clock::now() + left);
}

// One process, so its figures stand here.
Json service_json(const Group& service) {
  Json json{{"name", service.app().name},           {"state", service.state()}, {"generation", service.generation()},
            {"restarts", service.restarts()},       {"pid", nullptr},           {"started", nullptr},
            {"memory", nullptr},                    {"last_exit", nullptr}};
  for (const Worker* const worker : service.workers()) {
    const Json process = process_json(*worker);
    json.update(process);
  }
  return json;
}

Json group_json(const Group& group, const StatusSources& sources) {
  const upstream::Scoreboard::AppGauges now = sources.fronts.gauges(group.index());
  const upstream::AppTotals totals = sources.fronts.totals(group.index());
  Json json{{"name", group.app().name}, {"state", group.state()},  {"generation", group.generation()},
            {"queue", now.queue},       {"slots", now.slots},      {"busy", now.busy},
            {"served", totals.served},  {"failed", totals.failed}, {"restarts", group.restarts()}};
  json["rates"] = rates_json(sources.samples.rates(group.index()));
  json["wanted"] = group.wanted();
  json["pinned"] = group.is_pinned();
  json["paused_until"] = paused_until(group);
  const std::string behind = sources.reload.why_behind(group);
  json["behind"] = behind.empty() ? Json() : Json(behind);
  json["last_exit"] = group.last_exit().empty() ? Json() : Json(group.last_exit());
  json["workers"] = Json::array();
  for (const Worker* const worker : group.workers()) json["workers"].push_back(worker_json(*worker, sources.fronts));
  for (const upstream::Worker& proxy : group.proxies())
    json["workers"].push_back(proxy_json(proxy, sources.fronts));
  json["zygotes"] = zygotes_json(group);
  json["services"] = Json::array();
  for (const auto& service : group.services()) json["services"].push_back(service_json(*service));
  json["extras"] = Json::array();
  for (const Worker* const worker : group.extras()) json["extras"].push_back(worker_json(*worker, sources.fronts));
  return json;
}

Json output_json(const Tail& tail) {
  constexpr std::size_t kShown = 20;
  Json output = Json::array();
  const auto& lines = tail.lines();
  for (std::size_t i = lines.size() - std::min(kShown, lines.size()); i < lines.size(); ++i)
    output.push_back(to_json(lines[i]));
  return output;
}

// Of its fence: what the kernel says of the process, and what only itself knows.
Json front_json(pid_t pid, const upstream::Started* said) {
  Json json{{"pid", pid == 0 ? Json() : Json(pid)}};
  if (const auto restraints = restraints_of(pid)) {
    json["no_new_privs"] = restraints->no_new_privs;
    json["seccomp"] = restraints->seccomp;
    json["capabilities"] = fmt::format("{:016x}", restraints->capabilities);
    json["root"] = restraints->root.empty() ? Json() : Json(restraints->root);
  }
  if (said != nullptr) {
    json["landlock"] = said->landlock;
    json["unfenced"] = said->unfenced;
  }
  return json;
}

}  // namespace

Json status_json(const StatusSources& sources, const Group* only, const Tail* tail) {
  Json json{{"version", PORTHERD_VERSION},
            {"supervisor", {{"pid", ::getpid()}}},
            {"front", front_json(sources.front, sources.front_said)},
            {"listen", Json::array()},
            {"apps", Json::array()}};
  for (const Listener& listener : sources.listeners.all()) json["listen"].push_back(listener.url());
  for (const auto& group : sources.groups) {
    if (only == nullptr || only == group.get()) json["apps"].push_back(group_json(*group, sources));
  }
  if (tail != nullptr) json["output"] = output_json(*tail);
  return json;
}

}  // namespace supervisor
