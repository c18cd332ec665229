// How many connections each client address has, over all threads of the front ([front] max_connections_per_address).
// An IPv6 client is its /64, see runtime::AddressKey.
#pragma once
#include <cstdint>
#include <map>
#include <mutex>

#include "runtime/socket.h"

namespace proxy {

class AddressCount {
 public:
  /// `most` connections of one address at the same time; 0: as many as they like.
  explicit AddressCount(std::size_t most) : most_(most) {}
  /// All are counted, whatever `most` was when they came.
  void resize(std::size_t most);

  /// Counts one more, unless the address has as many as it may: false.
  bool enter(const runtime::PeerAddress& peer);
  /// One fewer; after an enter() that was true.
  void leave(const runtime::PeerAddress& peer);

 private:
  static bool counts(const runtime::PeerAddress& peer) { return peer.family != AF_UNIX; }

  std::mutex lock_;  // guards what follows
  std::size_t most_;
  std::map<runtime::AddressKey, std::size_t> connections_;  // no entry: none
};

}  // namespace proxy
