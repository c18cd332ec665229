#include "proxy/address_count.h"

#include <cstring>

namespace proxy {
namespace {

/// An IPv4 address, or the first 64 bits of an IPv6 one.
std::pair<sa_family_t, std::uint64_t> key_of(const runtime::PeerAddress& peer) {
  std::uint64_t number = 0;
  std::memcpy(&number, peer.bytes, peer.family == AF_INET ? 4 : 8);
  return {peer.family, number};
}

}  // namespace

bool AddressCount::enter(const runtime::PeerAddress& peer) {
  if (!counts(peer)) return true;
  const std::scoped_lock lock(lock_);
  std::size_t& here = connections_[key_of(peer)];
  if (here >= most_) return false;
  ++here;
  return true;
}

void AddressCount::leave(const runtime::PeerAddress& peer) {
  if (!counts(peer)) return;
  const std::scoped_lock lock(lock_);
  const auto at = connections_.find(key_of(peer));
  if (at != connections_.end() && --at->second == 0) connections_.erase(at);
}

}  // namespace proxy
