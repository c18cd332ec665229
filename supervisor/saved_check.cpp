// Whether what was handed on fits together, and to this version; and settings as a text of their own language. What the
// text looks like: saved.cpp.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "conf/load.h"
#include "conf/print.h"
#include "supervisor/saved.h"
#include "upstream/herd_board.h"
#include "upstream/scoreboard.h"

namespace supervisor::saved {
namespace {

using runtime::Code;
using runtime::fail;
using runtime::Result;

Result<void> refuse(std::string_view what) {
  return fail(Code::kProtocol, fmt::format("what was handed on does not fit together: {}", what));
}

// One that had two owners would be closed twice: the second time it may be somebody else's.
Result<void> check_descriptors(const Supervisor& supervisor) {
  std::set<int> numbers;
  for (const int number : descriptors_of(supervisor)) {
    if (!numbers.insert(number).second) return refuse(fmt::format("descriptor {} is there twice", number));
  }
  const Descriptor needed[] = {supervisor.program.self, supervisor.control.listener, supervisor.error_log,
                               supervisor.fronts_board.memory, supervisor.herd_board.memory};
  if (std::ranges::any_of(needed, [](Descriptor one) { return one.number < 0; })) return refuse("a descriptor is missing");
  return {};
}

bool is_watched(const Child& child) {
  return child.pid > 0 && child.pidfd.number >= 0;
}

Result<void> check_front(const Front& front) {
  std::set<std::size_t> blocks;
  const auto is_sound = [&](const FrontProcess& process) {
    return is_watched(process.child) && process.channel.number >= 0 && process.block < upstream::kMaxFronts &&
           blocks.insert(process.block).second;
  };
  if (!is_sound(front.current) || !std::ranges::all_of(front.draining, is_sound)) return refuse("the fronts");
  for (const std::string& order : front.known) TRY_VOID(upstream::decode(order));
  return {};
}

bool is_sound(const Process& process, const Worker& worker, const Group& group, std::uint32_t rows) {
  if (process.has_row && process.about.row >= rows) return false;
  const bool serves = worker.state == State::kReady || worker.state == State::kDraining;
  if (!process.child) return !serves;  // one that could not be started, and nobody has noticed yet
  return is_watched(*process.child) && process.has_row && (process.socket.has_value() || !group.name.empty());
}

bool is_sound(const Worker& worker, const Group& group, std::uint32_t rows) {
  if (std::ranges::find(group.releases, worker.generation, &Release::generation) == group.releases.end()) return false;
  const bool needs_process = worker.state != State::kIdle && worker.state != State::kBackoff && worker.state != State::kFailed;
  if (worker.process.has_value() != needs_process) return false;
  return !worker.process || is_sound(*worker.process, worker, group, rows);
}

Result<void> check_group(const Group& group, std::uint32_t rows) {
  if (group.name.empty()) {
    for (const Release& release : group.releases) TRY_VOID(to_app(release.app));
  }
  const auto has_sound_zygote = [](const Release& release) {
    return !release.zygote || (is_watched(release.zygote->child) && release.zygote->control.number >= 0);
  };
  if (!std::ranges::all_of(group.releases, has_sound_zygote)) return refuse(fmt::format("the zygotes of app {}", group.index));
  const auto has = [&](std::uint32_t generation) {
    return std::ranges::find(group.releases, generation, &Release::generation) != group.releases.end();
  };
  if (group.index >= upstream::kMaxApps || !has(group.target) || (group.before && !has(*group.before)))
    return refuse(fmt::format("the generations of app {}", group.index));
  for (const Place& place : group.places) {
    if (!is_sound(place.holder, group, rows) || (place.extra && !is_sound(*place.extra, group, rows)))
      return refuse(fmt::format("app {}, worker {}", group.index, place.slot));
  }
  const auto is_ours = [rows](const upstream::Worker& proxy) { return proxy.row < rows; };
  if (!std::ranges::all_of(group.proxies, is_ours) ||
      !std::ranges::all_of(group.leaving_proxies, is_ours, &LeavingProxy::about))
    return refuse(fmt::format("the proxies of app {}", group.index));
  for (const Group& service : group.services) {
    if (service.name.empty() || !service.services.empty()) return refuse(fmt::format("app {}, its services", group.index));
    TRY_VOID(check_group(service, rows));
  }
  return {};
}

// ---- settings ----

template <class F>
void for_each_digest(conf::Settings& settings, F each) {
  for (conf::App& app : settings.apps) {
    each(app.env_file_digest);
    for (conf::Service& service : app.services) each(service.env_file_digest);
  }
}

}  // namespace

Result<void> check(const Supervisor& supervisor) {
  const auto is = [](const Board& board, std::uint64_t size, std::uint64_t layout) {
    return board.size == size && board.layout == layout;
  };
  if (!is(supervisor.fronts_board, sizeof(upstream::Blocks), upstream::kBlocksLayout) ||
      !is(supervisor.herd_board, sizeof(upstream::HerdFigures), upstream::kHerdLayout))
    return fail(Code::kProtocol, "the scoreboards are of another version: only a restart changes that");
  TRY(const conf::Settings settings, to_settings(supervisor.settings));
  if (settings.apps.size() != supervisor.groups.size() || supervisor.rows > upstream::kMaxWorkers)
    return refuse("the apps");
  TRY_VOID(check_descriptors(supervisor));
  TRY_VOID(check_front(supervisor.front));
  for (const Group& group : supervisor.groups) TRY_VOID(check_group(group, supervisor.rows));
  return {};
}

Result<Settings> from_settings(const conf::Settings& settings) {
  Settings saved{.text = conf::print(settings)};
  conf::Settings copy = settings;
  for_each_digest(copy, [&](std::uint64_t& digest) { saved.digests.push_back(digest); });
  const auto again = to_settings(saved);
  if (again && *again == settings) return saved;
  return fail(Code::kSystem, "the settings have words that no file could have (bytes that are no UTF-8, or too many "
                             "arguments), so they cannot be handed on; restart it instead");
}

Result<conf::Settings> to_settings(const Settings& saved) {
  conf::Loaded loaded = conf::load_text(saved.text, "the settings that were handed on");
  if (!loaded.problems.empty()) return fail(Code::kConfig, conf::text(loaded.problems.front()));
  std::size_t next = 0;
  for_each_digest(loaded.settings, [&](std::uint64_t& digest) {
    if (next < saved.digests.size()) digest = saved.digests[next];
    ++next;
  });
  if (next == saved.digests.size()) return std::move(loaded.settings);
  return fail(Code::kProtocol, "the settings that were handed on have not the apps that they should have");
}

Result<Settings> from_app(conf::App app) {
  conf::Settings alone;
  alone.apps.push_back(std::move(app));
  conf::settle(alone);  // what its routes have from the apps that they lead to is not its own
  return from_settings(alone);
}

Result<conf::App> to_app(const Settings& saved) {
  TRY(conf::Settings alone, to_settings(saved));
  if (alone.apps.size() != 1) return fail(Code::kProtocol, "what was handed on is not the one app that it should be");
  return std::move(alone.apps.front());
}

}  // namespace supervisor::saved
