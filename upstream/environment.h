// A request as the environment that a Python app knows (PEP 3333, RFC 3875): the payload of a `request`
// frame. Pure.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "runtime/buffer.h"
#include "runtime/socket.h"
#include "upstream/message.h"

namespace upstream {

/// What the environment says of the connection.
struct EnvironmentFacts {
  std::uint16_t server_port = 0;  ///< 0: a Unix socket; then it is the scheme's
  runtime::PeerAddress remote;
  bool is_tls = false;
};

/// Host of an authority, without its port, brackets and all; never empty.
std::string_view server_name(std::string_view authority);
std::uint16_t server_port(const EnvironmentFacts& facts);

/// `ours`: fields that we add. `framing`, `length`: of the body that follows in frames; kNone says that there
/// is none. False, and nothing written: the request cannot be an environment (a decoded NUL in its path, or
/// more than kMostHeadFrame).
bool write_environment(const RequestHead& head, std::span<const Field> ours, const EnvironmentFacts& facts,
                       Framing framing, std::uint64_t length, runtime::ByteQueue& out);

}  // namespace upstream
