#include "supervisor/fence.h"

#include <fmt/format.h>

#include <algorithm>

#include "conf/origin.h"
#include "runtime/signposts.h"
#include "supervisor/plan.h"

namespace supervisor {
namespace {

bool holds_too_much(const std::string& folder) {
  return std::ranges::count(folder, '/') < 2;
}

std::string readable_for(const runtime::Signpost& signpost) {
  const auto& [folder, name] = signpost;
  if (!holds_too_much(folder)) return folder;
  return folder == "/" ? "/" + name : folder + "/" + name;
}

void add_files(const conf::App& app, Fence& fence) {
  for (const conf::Route& route : app.routes) {
    if (route.files.empty()) continue;
    for (const runtime::Signpost& signpost : runtime::signposts(route.files)) fence.readable.insert(readable_for(signpost));
  }
}

}  // namespace

Fence fence_for(const conf::Settings& settings) {
  Fence fence;
  for (const conf::App& app : settings.apps) {
    add_files(app, fence);
    fence.has_ports |= handover_of(app) == Handover::kPort;
    fence.has_sockets |= !app.proxy.empty();
  }
  return fence;
}

std::vector<conf::Change> widenings(const Fence& old, const Fence& fresh) {
  std::vector<conf::Change> changes;
  const auto add = [&changes](std::string what) {
    changes.push_back({.key = "front", .what = std::move(what), .cost = conf::Cost::kFront, .app = {}});
  };
  for (const std::string& folder : fresh.readable) {
    if (!old.readable.contains(folder)) add(fmt::format("has to read files in {}", conf::printable(folder)));
  }
  if (fresh.has_ports && !old.has_ports) add("has to reach workers by ports");
  if (fresh.has_sockets && !old.has_sockets) add("has to reach sockets of `proxy`");
  return changes;
}

}  // namespace supervisor
