#include "proxy/site.h"

#include <sys/resource.h>

#include <algorithm>
#include <cstring>

namespace proxy {
namespace {

// Each can wait for a disk; more would only make its queue longer.
constexpr std::size_t kDiskThreads = 4;

// Of all descriptors, all threads together: half are for clients, and workers need some.
constexpr std::size_t kForFiles = 4, kForSpoolFiles = 8;  // a quarter, an eighth

std::size_t descriptors_of_a_thread(std::size_t threads, std::size_t part) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<std::size_t>(limit.rlim_cur) / part / std::max<std::size_t>(threads, 1);
}

}  // namespace

Site::Site(conf::Settings s, upstream::Block& b)
    : settings(std::move(s)),
      block(b),
      route(settings.apps),
      addresses(std::make_unique<AddressCount>(settings.front.max_connections_per_address)),
      unfinished_handshakes(std::make_unique<UnfinishedHandshakes>()),
      buffer_memory(std::make_unique<ByteBudget>(settings.front.buffer_memory)),
      spool_disk(std::make_unique<ByteBudget>(settings.front.spool_disk)),
      disk(std::make_unique<runtime::Disk>(kDiskThreads)),
      spooler(std::make_unique<runtime::Disk>(kDiskThreads)),
      max_files(descriptors_of_a_thread(settings.front.threads.number, kForFiles)),
      max_spool_files(descriptors_of_a_thread(settings.front.threads.number, kForSpoolFiles)) {
  for (std::size_t i = 0; i < settings.apps.size(); ++i) {
    const auto index = static_cast<upstream::AppIndex>(i);
    dispatches.push_back(std::make_unique<upstream::Dispatch>(settings.apps[i], index, block.board));
  }
}

bool Site::trusts(const ClientFacts& client) const {
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

}  // namespace proxy
