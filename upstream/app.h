// What the supervisor and the front must both know about an app beyond its settings: how its workers are spoken to.
#pragma once
#include <cstddef>
#include <cstdint>

#include "conf/settings.h"

namespace upstream {

/// Which app, in orders and scoreboards: given by the supervisor when the app comes, and its for as long as it stays, whatever
/// others come or go by a reload. Not its place in Settings::apps: Configure says which is whose. Below kMaxApps (scoreboard.h).
using AppIndex = std::uint16_t;

/// What the front speaks to the workers of an app.
enum class Speech {
  kHttp,            ///< HTTP/1.1, to any program
  kWorkerProtocol,  ///< docs/worker-protocol.md, to our own Python worker: requests as environments (WSGI)
  kScopes,          ///< the same, requests as scopes (ASGI)
};

inline constexpr std::size_t kSpeeches = 3;

inline Speech speech_of(const conf::App& app) {
  if (app.kind() == conf::AppKind::kAsgi) return Speech::kScopes;
  return app.kind() == conf::AppKind::kWsgi ? Speech::kWorkerProtocol : Speech::kHttp;
}

}  // namespace upstream
