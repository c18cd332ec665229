#include "proxy/origin.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <ranges>

#include "runtime/text.h"

namespace proxy {
namespace {

using runtime::PeerAddress;
using upstream::FieldId;

constexpr int kMostHops = 32;

bool is_among(std::span<const conf::Network> networks, const PeerAddress& address) {
  if (address.family == AF_UNIX) return std::ranges::any_of(networks, &conf::Network::is_unix);
  std::array<std::uint8_t, 16> mapped{};
  if (address.family == AF_INET) {
    mapped[10] = mapped[11] = 0xff;  // IPv4-mapped, RFC 4291 2.5.5.2
    std::memcpy(mapped.data() + 12, address.bytes, 4);
  } else {
    std::memcpy(mapped.data(), address.bytes, 16);
  }
  return std::ranges::any_of(networks, [&](const conf::Network& network) { return network.contains(mapped); });
}

// "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80": proxies write all of them. The port says nothing to an app.
std::optional<PeerAddress> address_in(std::string_view item) {
  if (item.starts_with('[')) {
    const std::size_t end = item.find(']');
    return end == item.npos ? std::nullopt : runtime::parse_peer_address(AF_INET6, item.substr(1, end - 1));
  }
  const std::size_t colon = item.find(':');
  const bool is_v6 = colon != item.npos && item.find(':', colon + 1) != item.npos;
  return is_v6 ? runtime::parse_peer_address(AF_INET6, item) : runtime::parse_peer_address(AF_INET, item.substr(0, colon));
}

// From the end, for each proxy has added whom it heard from, and what stands before a client that is not trusted it may have said.
PeerAddress client_in(const upstream::Fields& fields, PeerAddress nearest, std::span<const conf::Network> trusted) {
  int hops = 0;
  for (const upstream::Field& field : std::views::reverse(fields)) {
    if (field.id != FieldId::kXForwardedFor) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const std::size_t comma = rest.rfind(',');
      const auto address = address_in(runtime::trim(comma == rest.npos ? rest : rest.substr(comma + 1)));
      rest = rest.substr(0, comma == rest.npos ? 0 : comma);
      if (!address || ++hops > kMostHops) return nearest;
      nearest = *address;
      if (!is_among(trusted, nearest)) return nearest;
    }
  }
  return nearest;
}

// Nothing: it does not say, or not in one word.
std::optional<bool> says_tls(const upstream::Fields& fields) {
  std::optional<bool> said;
  for (const upstream::Field& field : fields) {
    if (field.id != FieldId::kXForwardedProto) continue;
    const auto is = [&field](std::string_view word) { return runtime::equals_ignoring_case(field.value, word); };
    const bool is_tls = is("https") || is("wss");
    if (said || !(is_tls || is("http") || is("ws"))) return std::nullopt;
    said = is_tls;
  }
  return said;
}

}  // namespace

bool is_trusted(const ClientFacts& client, std::span<const conf::Network> trusted) {
  return !client.is_unnamed && is_among(trusted, client.peer);
}

Origin origin_of(const upstream::RequestHead& head, const ClientFacts& client, std::span<const conf::Network> trusted) {
  if (!is_trusted(client, trusted)) return {.client = client.peer, .is_tls = client.is_tls};
  return {.client = client_in(head.fields, client.peer, trusted), .is_tls = says_tls(head.fields).value_or(client.is_tls)};
}

}  // namespace proxy
