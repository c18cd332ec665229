#include "conf/settings.h"

#include <algorithm>

namespace conf {
namespace {

constexpr std::size_t kSlotsOfAsgi = 100;
constexpr std::size_t kSlotsOfCommand = 16;
constexpr std::size_t kSlotsOfProxy = 1024;

std::size_t slots_by_kind(App const& app) {
  switch (app.kind()) {
    case AppKind::kWsgi:
      return app.threads;
    case AppKind::kAsgi:
      return kSlotsOfAsgi;
    case AppKind::kCommand:
      return kSlotsOfCommand;
    case AppKind::kProxy:
      return kSlotsOfProxy;
    case AppKind::kNone:
      break;  // nobody has a slot; the number is only never 0
  }
  return kSlotsOfCommand;
}

Rules merge(OwnRules const& own, Rules const& rules) {
  return {.buffer_body = own.buffer_body.value_or(rules.buffer_body),
          .max_body = own.max_body.value_or(rules.max_body),
          .stream_body = own.stream_body.value_or(rules.stream_body),
          .stream_answer = own.stream_answer.value_or(rules.stream_answer),
          .spool_answer = own.spool_answer.value_or(rules.spool_answer),
          .on_abandon = own.on_abandon.value_or(rules.on_abandon),
          .queue_timeout = own.queue_timeout.value_or(rules.queue_timeout),
          .request_timeout = own.request_timeout.value_or(rules.request_timeout),
          .stream_timeout = own.stream_timeout.value_or(rules.stream_timeout),
          .total_timeout = own.total_timeout.value_or(rules.total_timeout)};
}

void settle_route(Route& route, App const& app, std::vector<App> const& apps) {
  auto const other = std::ranges::find(apps, route.app, &App::name);
  bool const leads_away = !route.app.empty() && other != apps.end();
  route.to.reset();
  if (leads_away) route.to = static_cast<std::size_t>(other - apps.begin());
  route.rules = merge(route.own, leads_away ? other->rules : app.rules);
}

}  // namespace

std::string service_name(App const& app, Service const& service) {
  return app.name + "." + service.name;
}

App service_app(App const& app, Service const& service) {
  App process;
  process.name = service_name(app, service);
  process.command = service.command;
  process.directory = service.directory.empty() ? app.directory : service.directory;
  process.user = service.user.empty() ? app.user : service.user;
  process.group = service.group.empty() && service.user.empty() ? app.group : service.group;
  process.umask = service.umask ? service.umask : app.umask;
  process.env = service.env;
  process.env.insert(app.env.begin(), app.env.end());  // what is there already stays
  process.env_file = service.env_file.empty() ? app.env_file : service.env_file;
  process.rlimits = service.rlimits;
  process.rlimits.insert(app.rlimits.begin(), app.rlimits.end());
  process.nice = service.nice ? service.nice : app.nice;
  process.no_new_privs = service.no_new_privs.value_or(app.no_new_privs);
  process.strict = app.strict;
  process.memory_max = app.memory_max;
  process.cpu_max = app.cpu_max;
  process.pids_max = app.pids_max;
  process.env_file_digest = service.env_file.empty() ? app.env_file_digest : service.env_file_digest;
  process.stop_signal = service.stop_signal.value_or(app.stop_signal);
  process.graceful_timeout = service.graceful_timeout.value_or(app.graceful_timeout);
  return process;
}

void settle(Settings& settings) {
  for (App& app : settings.apps) {
    if (app.concurrency == 0) app.concurrency = slots_by_kind(app);
    for (Route& route : app.routes) settle_route(route, app, settings.apps);
  }
}

}  // namespace conf
