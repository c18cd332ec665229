#include "proxy/unfinished_handshakes.h"

namespace proxy {

bool UnfinishedHandshakes::begin(const runtime::PeerAddress& peer, runtime::Time now) {
  if (!has_any_.load(std::memory_order_relaxed)) return true;
  const std::scoped_lock lock(lock_);
  const auto at = left_.find(peer.key());
  return at == left_.end() || at->second.spend(now);
}

void UnfinishedHandshakes::finish(const runtime::PeerAddress& peer) {
  if (!has_any_.load(std::memory_order_relaxed)) return;
  const std::scoped_lock lock(lock_);
  if (const auto at = left_.find(peer.key()); at != left_.end()) at->second.earn(1);
}

/// When there is no place for one more address, that one is not held to anything: so many are no single client's any more.
void UnfinishedHandshakes::give_up(const runtime::PeerAddress& peer, runtime::Time now) {
  if (peer.family == AF_UNIX) return;
  const std::scoped_lock lock(lock_);
  if (left_.size() >= kMostAddresses) forget_the_quiet(now);
  if (left_.size() < kMostAddresses) left_.try_emplace(peer.key(), kAtOnce, kASecond);
  has_any_.store(true, std::memory_order_relaxed);
}

void UnfinishedHandshakes::forget_the_quiet(runtime::Time now) {
  if (now - looked_ < kLookEvery) return;
  looked_ = now;
  for (auto at = left_.begin(); at != left_.end();) at = at->second.is_whole(now) ? left_.erase(at) : std::next(at);
}

}  // namespace proxy
