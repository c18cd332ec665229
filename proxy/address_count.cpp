#include "proxy/address_count.h"

namespace proxy {

void AddressCount::resize(std::size_t most) {
  const std::scoped_lock lock(lock_);
  most_ = most;
}

bool AddressCount::enter(const runtime::PeerAddress& peer) {
  if (!counts(peer)) return true;
  const std::scoped_lock lock(lock_);
  std::size_t& here = connections_[peer.key()];
  if (most_ != 0 && here >= most_) return false;
  ++here;
  return true;
}

void AddressCount::leave(const runtime::PeerAddress& peer) {
  if (!counts(peer)) return;
  const std::scoped_lock lock(lock_);
  const auto at = connections_.find(peer.key());
  if (at != connections_.end() && --at->second == 0) connections_.erase(at);
}

}  // namespace proxy
