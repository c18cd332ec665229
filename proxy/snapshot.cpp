#include "proxy/snapshot.h"

#include <algorithm>
#include <cassert>

#include "proxy/origin.h"

namespace proxy {

Snapshot::Snapshot(conf::Settings s, std::vector<upstream::AppIndex> indexes, std::shared_ptr<TlsContext> context,
                   std::uint16_t port)
    : settings(std::move(s)), apps(std::move(indexes)), route(settings.apps), tls(std::move(context)), https_port(port) {
  assert(apps.size() == settings.apps.size());
}

bool Snapshot::trusts(const ClientFacts& client) const {
  return is_trusted(client, settings.front.trusted_proxies);
}

const conf::App* Snapshot::find(upstream::AppIndex index) const {
  const auto at = std::ranges::find(apps, index);
  return at == apps.end() ? nullptr : &settings.apps[static_cast<std::size_t>(at - apps.begin())];
}

}  // namespace proxy
