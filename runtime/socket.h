// Sockets: addresses, listening, accepting, connecting. Non-blocking and close-on-exec throughout.
#pragma once
#include <sys/socket.h>
#include <sys/types.h>

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/bytes.h"
#include "runtime/fd.h"
#include "runtime/result.h"

namespace runtime {

/// Whom connections are counted by, and requests are told apart by: an IPv4 address, or the first 64 bits of an IPv6 one, which
/// is what one subscriber has at least (RFC 6177). All Unix peers are one.
struct AddressKey {
  sa_family_t family = 0;
  std::uint64_t number = 0;
  auto operator<=>(const AddressKey&) const = default;
};

/// A peer or local address as the kernel gives it: 28 bytes are enough for IPv4 and IPv6; a Unix peer has no name.
struct PeerAddress {
  sa_family_t family = 0;       ///< AF_INET, AF_INET6 or AF_UNIX; IPv4-mapped IPv6 is stored as AF_INET
  std::uint16_t port = 0;       ///< host byte order
  unsigned char bytes[16] = {}; ///< network byte order; 4 or 16 of them

  /// "192.0.2.1", "2001:db8::1", or "unix". Without the port.
  std::string text() const;
  AddressKey key() const;
  bool operator==(const PeerAddress&) const = default;
};
PeerAddress to_peer_address(const sockaddr_storage&);
/// `family`: AF_INET or AF_INET6, whose 4 or 16 bytes these are, in network byte order.
PeerAddress to_peer_address(sa_family_t family, const void* bytes, std::uint16_t port);
/// A literal of that family, without brackets. Nothing: it is none.
std::optional<PeerAddress> parse_peer_address(sa_family_t family, std::string_view text, std::uint16_t port = 0);

/// Binds and listens. `host` is a numeric address, "*" (`[::]` with IPv4 too, or `0.0.0.0` where there is no IPv6) or
/// a name that getaddrinfo knows as a local address. With `shared` the socket has SO_REUSEPORT set.
/// Errors say which address, and "already in use" for EADDRINUSE. Port 0 takes any free port.
Result<Fd> listen_tcp(std::string_view host, std::uint16_t port, bool shared);

/// Binds and listens on a path; `mode` is its permissions, whatever the umask is (which is set for a moment: one
/// thread). A path is at most 107 bytes (unix(7)).
/// A left-over socket file that nobody listens on is replaced; one that answers is "already in use".
Result<Fd> listen_unix(const std::string& path, mode_t mode);

/// A bound datagram socket, for NOTIFY_SOCKET (sd_notify(3)).
Result<Fd> bind_unix_datagram(const std::string& path, mode_t mode);

/// The port that a bound TCP socket has.
std::uint16_t local_port(int fd);
/// The address a connection came in at.
PeerAddress local_address(int fd);

/// accept4(2). Empty with errno set when there is none.
Fd accept_from(int listener, PeerAddress& peer);

/// Connects to a Unix stream socket. Unix sockets connect at once or fail (EAGAIN: backlog full, ENOENT,
/// ECONNREFUSED); nothing is ever in progress. Empty with errno set on failure.
Fd connect_unix(const std::string& path);

void set_no_delay(int fd);
/// Written and not yet taken by the other side: of TCP, not acknowledged (tcp(7), unix(7), SIOCOUTQ).
Bytes untaken(int fd);
/// close() resets the connection instead of ending it: the peer sees an error, not an end (socket(7), SO_LINGER).
void reset_on_close(int fd);

}  // namespace runtime
