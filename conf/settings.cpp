#include "conf/settings.h"

#include <algorithm>

namespace conf {
namespace {

constexpr std::size_t kSlotsOfCommand = 16;
constexpr std::size_t kSlotsOfProxy = 1024;

std::size_t slots_by_kind(App const& app) {
  switch (app.kind()) {
    case AppKind::kWsgi:
      return app.threads;
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

void settle(Settings& settings) {
  for (App& app : settings.apps) {
    if (app.concurrency == 0) app.concurrency = slots_by_kind(app);
    for (Route& route : app.routes) settle_route(route, app, settings.apps);
  }
}

}  // namespace conf
