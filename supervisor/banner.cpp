#include "supervisor/banner.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace supervisor {
namespace {

// "2 workers", "1 to 8 workers".
std::string workers_of(const conf::App& app) {
  const conf::Workers& workers = app.workers;
  if (workers.is_auto) return "as many workers as fit";
  if (!workers.is_fixed()) return fmt::format("{} to {} workers", workers.min, workers.max);
  return fmt::format("{} worker{}", workers.min, workers.min == 1 ? "" : "s");
}

std::string what_runs(const conf::App& app) {
  switch (app.kind()) {
    case conf::AppKind::kWsgi:
      return fmt::format("{}, {} x {} thread{}", app.wsgi, workers_of(app), app.threads,
                         app.threads == 1 ? "" : "s");
    case conf::AppKind::kAsgi:
      return fmt::format("{}, {} x {} requests", app.asgi, workers_of(app), app.concurrency);
    case conf::AppKind::kCommand:
      return fmt::format("{}, {}", fmt::join(app.command, " "), workers_of(app));
    case conf::AppKind::kProxy:
      return fmt::format("{} worker{} that somebody else supervises", app.proxy.size(),
                         app.proxy.size() == 1 ? "" : "s");
    case conf::AppKind::kNone:
      if (!app.takes_requests()) {
        return fmt::format("{} service{} and no worker", app.services.size(), app.services.size() == 1 ? "" : "s");
      }
      return fmt::format("{} route{} and no worker", app.routes.size(), app.routes.size() == 1 ? "" : "s");
  }
  return "";
}

bool is_for_everybody(const conf::Address& address) {
  return address.kind == conf::Address::Kind::kTcp &&
         (address.host == "*" || address.host == "0.0.0.0" || address.host == "::");
}

}  // namespace

std::string banner(const conf::Settings& settings, const std::vector<std::string>& urls) {
  std::string text = fmt::format("portherd {} serves\n", PORTHERD_VERSION);
  for (const conf::App& app : settings.apps) text += fmt::format("  {}: {}\n", app.name, what_runs(app));
  for (const std::string& url : urls) text += fmt::format("  at {}\n", url);
  return text;
}

std::vector<std::string> warnings(const conf::Settings& settings, bool is_root) {
  std::vector<std::string> sentences;
  for (const conf::App& app : settings.apps) {
    if (is_root && (app.has_processes() || !app.services.empty()) && app.user.empty()) {
      sentences.push_back(fmt::format("app {} runs as root: give it a `user` (of `run`: --user)", app.name));
    }
  }
  const bool is_open = std::ranges::any_of(settings.listen.http, is_for_everybody);
  if (is_open && settings.listen.https.empty()) {
    sentences.emplace_back(
        "everybody who reaches this machine can connect, and nothing is encrypted: there is no https "
        "address");
  }
  return sentences;
}

}  // namespace supervisor
