#include "proxy/snapshot.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

namespace proxy {

Snapshot::Snapshot(conf::Settings s, std::vector<upstream::AppIndex> indexes, std::shared_ptr<TlsContext> context,
                   std::uint16_t port)
    : settings(std::move(s)), apps(std::move(indexes)), route(settings.apps), tls(std::move(context)), https_port(port) {
  assert(apps.size() == settings.apps.size());
}

bool Snapshot::trusts(const ClientFacts& client) const {
  const runtime::PeerAddress& peer = client.peer;
  if (settings.front.trusted_proxies.empty() || peer.family == AF_UNIX || client.is_unnamed) return false;
  std::array<std::uint8_t, 16> mapped{};
  if (peer.family == AF_INET) {
    mapped[10] = mapped[11] = 0xff;  // IPv4-mapped, RFC 4291 2.5.5.2
    std::memcpy(mapped.data() + 12, peer.bytes, 4);
  } else {
    std::memcpy(mapped.data(), peer.bytes, 16);
  }
  return std::any_of(settings.front.trusted_proxies.begin(), settings.front.trusted_proxies.end(),
                     [&](const conf::Network& network) { return network.contains(mapped); });
}

const conf::App* Snapshot::find(upstream::AppIndex index) const {
  const auto at = std::ranges::find(apps, index);
  return at == apps.end() ? nullptr : &settings.apps[static_cast<std::size_t>(at - apps.begin())];
}

}  // namespace proxy
