#include "proxy/turned_away.h"

#include "runtime/log.h"

namespace proxy {

using namespace std::chrono_literals;

void TurnedAway::add(const runtime::PeerAddress& peer, std::string_view cause) {
  ++unsaid_;
  if (loop_.now() < silent_until_) return;
  silent_until_ = loop_.now() + 1s;
  runtime::log(runtime::Level::kWarning, "a connection was closed at once",
               {{"peer", peer.text()}, {"cause", cause}, {"connections", unsaid_}});
  unsaid_ = 0;
}

}  // namespace proxy
