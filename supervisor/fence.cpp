#include "supervisor/fence.h"

#include <algorithm>
#include <set>
#include <string>

#include "supervisor/plan.h"

namespace supervisor {
namespace {

std::set<std::string> folders_of(const conf::Settings& settings) {
  std::set<std::string> folders;
  for (const conf::App& app : settings.apps) {
    for (const conf::Route& route : app.routes) {
      if (!route.files.empty()) folders.insert(route.files);
    }
  }
  return folders;
}

}  // namespace

bool needs_tcp(const conf::Settings& settings) {
  return std::ranges::any_of(settings.apps, [](const conf::App& app) { return handover_of(app) == Handover::kPort; });
}

bool needs_wider_fence(const conf::Settings& old, const conf::Settings& fresh) {
  return (needs_tcp(fresh) && !needs_tcp(old)) || !std::ranges::includes(folders_of(old), folders_of(fresh));
}

}  // namespace supervisor
