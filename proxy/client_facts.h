// What is known of a client before its first request; the same for all exchanges of the connection.
#pragma once
#include <cstdint>
#include <string_view>

#include "runtime/socket.h"

namespace proxy {

struct ClientFacts {
  runtime::PeerAddress peer;  ///< who it is; by the PROXY protocol, where that is spoken
  std::uint16_t port = 0;     ///< of ours that it came in at; 0 for a Unix socket
  bool is_tls = false;
  bool is_unnamed = false;       ///< came through a proxy that does not say who it is; `peer` is the proxy's
  std::string_view tls_version;  ///< "TLSv1.3", or empty
};

}  // namespace proxy
