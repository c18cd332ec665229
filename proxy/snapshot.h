// The settings in force, and what follows from them alone: which app a host has, whom to believe, which certificates. Never
// changed: a reload makes another one, and the front's threads go over to it (change.h). Whoever needs one for longer than a
// turn of the loop keeps it: an exchange from its head to its event. What lasts beyond a reload: site.h.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "conf/settings.h"
#include "proxy/client_facts.h"
#include "proxy/route.h"
#include "proxy/tls_context.h"
#include "upstream/app.h"

namespace proxy {

struct Snapshot {
  /// `apps`: the index of each app of the settings, in their order. `tls`: empty: there is no certificate. `https_port`: of the
  /// first https listener, for redirects; 0: none.
  Snapshot(conf::Settings settings, std::vector<upstream::AppIndex> apps, std::shared_ptr<TlsContext> tls = {},
           std::uint16_t https_port = 0);

  const conf::Settings settings;
  const std::vector<upstream::AppIndex> apps;  ///< by place in settings.apps
  const Route route;                           ///< host to place
  const std::shared_ptr<TlsContext> tls;       ///< owned with earlier and later snapshots that have the same, and by connections
  const std::uint16_t https_port;

  /// Whether what this client says of others is believed ([front] trusted_proxies).
  bool trusts(const ClientFacts&) const;
  /// The settings of this app; null: there is none such.
  const conf::App* find(upstream::AppIndex index) const;
};

/// Which settings are in force. Owned by whoever still needs them: the front, its threads, exchanges. Each thread's copies
/// are counted in a place of its own (FrontThread::use()), so no request waits for a cache line that all threads write.
using SnapshotPointer = std::shared_ptr<const Snapshot>;

}  // namespace proxy
