// Addresses as an operator writes them: where to listen, where a worker is, which peers to believe. Plain
// values. Nothing is resolved or bound here: names are not looked up, "*" is decided where the socket is made
// (runtime/socket.h).
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/bytes.h"
#include "runtime/result.h"

namespace conf {

/// The longest path that fits into sockaddr_un with its NUL (unix(7)).
inline constexpr runtime::Bytes kLongestSocketPath = 107;

/// "127.0.0.1:8000", "*:80", "[::]:443" or "unix:PATH".
struct Address {
  enum class Kind { kTcp, kUnix };
  Kind kind = Kind::kTcp;
  std::string host;        ///< kTcp: "*" or a literal IPv4 or IPv6 address without brackets
  std::uint16_t port = 0;  ///< kTcp: 1 to 65535, or 0 for "any free one" (only `run` and tests ask for that)
  std::string path;        ///< kUnix: as written, or absolute once a file was loaded
  std::string text;        ///< the whole, in its one normal spelling; equal addresses have equal texts

  bool operator==(Address const&) const = default;
};

/// Errors say what is expected: an IP literal or "*", a port from 0 to 65535, a path.
runtime::Result<Address> parse_address(std::string_view text);

/// An address or a CIDR block: "10.0.0.0/8", "::1", "192.0.2.7"; or "unix:", whoever connects to a Unix socket. IPv4 is kept as
/// IPv4-mapped IPv6 (RFC 4291 2.5.5.2), so that one comparison serves peers of both kinds.
struct Network {
  std::array<std::uint8_t, 16> bits{};  ///< network byte order; bits past the prefix are 0
  std::uint8_t prefix = 128;            ///< in bits of the mapped form: an IPv4 /8 is 104 here
  std::string text;                     ///< as an operator would write it: "10.0.0.0/8"
  bool is_unix = false;                 ///< no address is in it

  bool contains(std::array<std::uint8_t, 16> const& address) const;
  bool operator==(Network const&) const = default;
};

runtime::Result<Network> parse_network(std::string_view text);

}  // namespace conf
