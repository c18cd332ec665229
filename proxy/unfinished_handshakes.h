// Which addresses begin TLS handshakes that they do not finish, over all threads of the front. A signature costs us many times
// what a recorded ClientHello costs them; so who has had too many in vain is closed before there is another. Health checks that
// only connect begin none. Bounded: an address is forgotten when it has been quiet for a while.
#pragma once
#include <atomic>
#include <map>
#include <mutex>

#include "proxy/allowance.h"
#include "runtime/socket.h"

namespace proxy {

class UnfinishedHandshakes {
 public:
  /// Whether this address may begin one more. It has to finish() it to have that forgotten.
  bool begin(const runtime::PeerAddress& peer, runtime::Time now);
  void finish(const runtime::PeerAddress& peer);
  /// It has begun one and not come to its end: from now on it is remembered.
  void give_up(const runtime::PeerAddress& peer, runtime::Time now);

 private:
  static constexpr long kAtOnce = 200, kASecond = 20;
  static constexpr std::size_t kMostAddresses = 10'000;
  static constexpr std::chrono::seconds kLookEvery{1};
  void forget_the_quiet(runtime::Time now);

  std::atomic<bool> has_any_ = false;  // so that nobody waits for the lock in peace
  std::mutex lock_;
  std::map<runtime::AddressKey, Allowance> left_;
  runtime::Time looked_{};  // when the quiet were last forgotten
};

}  // namespace proxy
