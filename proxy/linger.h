// How long a client is listened to that has been told all, and still sends: its input is read, and forgotten.
// Closing with unread input would make the kernel send a reset, which may destroy what is on its way to it
// (RFC 9112 9.6); and some clients look at the answer only when they have sent all of their body, some take
// even RST_STREAM NO_ERROR for a failure. The same for a connection of HTTP/1, one stream of HTTP/2, and what
// comes behind a GOAWAY.
#pragma once
#include <algorithm>

#include "runtime/clock.h"

namespace proxy {

class Linger {
 public:
  void begin(runtime::Time now) {
    latest_ = now + kInAll;
    end_ = now + kIdle;
  }
  /// Something came.
  void go_on(runtime::Time now) { end_ = std::min<runtime::Time>(latest_, now + kIdle); }
  /// When it is enough.
  runtime::Time end() const { return end_; }

 private:
  static constexpr std::chrono::seconds kIdle{5};    // for as long as something comes,
  static constexpr std::chrono::seconds kInAll{30};  // but not for ever
  runtime::Time latest_{}, end_{};
};

}  // namespace proxy
