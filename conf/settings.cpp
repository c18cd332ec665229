#include "conf/settings.h"

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

}  // namespace

void settle(Settings& settings) {
  for (App& app : settings.apps) {
    if (app.concurrency == 0) app.concurrency = slots_by_kind(app);
  }
}

}  // namespace conf
