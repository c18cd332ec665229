// Connections that were closed before they could say a word, because of where they come from: one line a second at
// most says so, with their number, so that a flood of them does not fill the log. One a thread.
#pragma once
#include <cstdint>
#include <string_view>

#include "runtime/loop.h"
#include "runtime/socket.h"

namespace proxy {

class TurnedAway {
 public:
  explicit TurnedAway(runtime::Loop& loop) : loop_(loop) {}

  void add(const runtime::PeerAddress& peer, std::string_view cause);

 private:
  runtime::Loop& loop_;
  runtime::Time silent_until_{};
  std::uint64_t unsaid_ = 0;  // since the last line
};

}  // namespace proxy
