#include "proxy/change.h"

#include <fmt/format.h>

#include <algorithm>

#include "conf/load.h"
#include "runtime/memory_text.h"
#include "upstream/scoreboard.h"

namespace proxy {
namespace {

using runtime::Code;
using runtime::fail;
using runtime::Result;

constexpr runtime::Bytes kMostText = 16 * 1024 * 1024;  // far beyond what conf's own bounds allow

Result<void> check(const std::vector<upstream::AppIndex>& indexes, std::size_t apps) {
  std::vector<upstream::AppIndex> sorted = indexes;
  std::ranges::sort(sorted);
  const bool is_unique = std::ranges::adjacent_find(sorted) == sorted.end();
  if (indexes.size() == apps && is_unique && (sorted.empty() || sorted.back() < upstream::kMaxApps)) return {};
  return fail(Code::kProtocol, fmt::format("{} indexes, each below {} and none twice, are due; not [{}]", apps,
                                           upstream::kMaxApps, fmt::join(indexes, ", ")));
}

}  // namespace

Result<void> Change::configure(int fd, std::vector<upstream::AppIndex> indexes) {
  TRY(const std::string text, runtime::from_memory(fd, kMostText));
  conf::Loaded loaded = conf::load_text(text, "settings");
  if (!loaded.problems.empty()) return fail(Code::kConfig, conf::text(loaded.problems.front()));
  TRY_VOID(check(indexes, loaded.settings.apps.size()));
  settings = std::move(loaded.settings);
  apps = std::move(indexes);
  return {};
}

const conf::App* Change::find(upstream::AppIndex index) const {
  const auto at = std::ranges::find(apps, index);
  return at == apps.end() ? nullptr : &settings->apps[static_cast<std::size_t>(at - apps.begin())];
}

bool Change::closes(const std::string& address) const {
  return std::ranges::find(closings, address) != closings.end();
}

std::vector<Address> Change::addresses(std::vector<Address> now) const {
  std::erase_if(now, [&](const Address& one) { return closes(one.text); });
  for (const Opening& opening : openings) {
    if (!opening.about.metrics) now.push_back({opening.about.text, opening.about.port, opening.about.tls});
  }
  return now;
}

Result<SnapshotPointer> Change::make(const Snapshot* now, const std::vector<Address>& addresses) {
  if (!objection.empty()) return fail(Code::kProtocol, objection);
  const conf::Settings& next = settings ? *settings : now->settings;
  std::shared_ptr<TlsContext> tls = now != nullptr ? now->tls : nullptr;
  if (certificates && certificates->empty()) tls = nullptr;
  if (certificates && !certificates->empty()) {
    TRY(tls, TlsContext::make(next.tls, std::move(*certificates)));
  }
  const auto https = std::ranges::find_if(addresses, &Address::tls);
  return std::make_shared<const Snapshot>(next, settings ? apps : now->apps, std::move(tls),
                                          https != addresses.end() ? https->port : std::uint16_t{0});
}

std::vector<ThreadPart> divide(Change& change, const SnapshotPointer& snapshot, std::size_t threads, std::size_t max_clients) {
  std::vector<ThreadPart> parts(threads);
  for (ThreadPart& part : parts) {
    part.snapshot = snapshot;
    part.max_clients = max_clients;
    part.closings = change.closings;
  }
  for (auto& [about, sockets] : change.openings) {
    if (about.metrics || sockets.empty()) continue;
    for (std::size_t i = 0; i < (about.shared ? threads : sockets.size()); ++i) {
      runtime::Fd socket = about.shared ? runtime::duplicate(sockets[0].get()) : std::move(sockets[i]);
      parts[i % threads].sockets.push_back({std::move(socket), about.text, about.port, {about.tls, about.proxy_protocol}});
    }
  }
  return parts;
}

}  // namespace proxy
