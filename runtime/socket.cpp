#include "runtime/socket.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace runtime {
namespace {

constexpr int kFlags = SOCK_CLOEXEC | SOCK_NONBLOCK;
constexpr int kBacklog = 4096;

void set_option(int fd, int level, int option, int value) {
  ::setsockopt(fd, level, option, &value, sizeof value);
}

const sockaddr* generic(const void* address) { return static_cast<const sockaddr*>(address); }

Result<sockaddr_un> unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return fail(Code::kConfig, fmt::format("the socket path {} is {} bytes long; at most 107 fit", path, path.size()));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

struct Bindable {
  sockaddr_storage address{};
  socklen_t length = 0;
};

Result<Bindable> resolve(std::string_view host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string name(host == "*" ? "::" : host);
  if (const int error = ::getaddrinfo(name.c_str(), std::to_string(port).c_str(), &hints, &found); error != 0) {
    return fail(Code::kConfig, fmt::format("cannot listen on {}: {}", host, ::gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> list(found, ::freeaddrinfo);
  Bindable bindable;
  std::memcpy(&bindable.address, found->ai_addr, found->ai_addrlen);
  bindable.length = found->ai_addrlen;
  return bindable;
}

Result<Fd> bind_and_listen(const Bindable& to, bool dual_stack, bool shared, std::string_view host, std::uint16_t port) {
  Fd fd(::socket(to.address.ss_family, SOCK_STREAM | kFlags, 0));
  if (!fd) return fail(Code::kSystem, fmt::format("cannot open a socket for {}:{}", host, port), errno);
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (to.address.ss_family == AF_INET6) set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, dual_stack ? 0 : 1);
  if (shared) set_option(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1);
  if (::bind(fd.get(), generic(&to.address), to.length) != 0 || ::listen(fd.get(), kBacklog) != 0) {
    return fail(Code::kSystem, fmt::format("cannot listen on {}:{}", host, port), errno);
  }
  return fd;
}

// Only a refusal says that nobody does. Any other answer (EACCES: not to us, EAGAIN: not now, EPROTOTYPE: datagrams)
// comes from somebody who lives, and whose file is not ours to remove.
bool somebody_listens(const sockaddr_un& address) {
  const Fd probe(::socket(AF_UNIX, SOCK_STREAM | kFlags, 0));
  return ::connect(probe.get(), generic(&address), sizeof address) == 0 || errno != ECONNREFUSED;
}

Result<Fd> bind_unix(const std::string& path, mode_t mode, int type) {
  TRY(const sockaddr_un address, unix_address(path));
  Fd fd(::socket(AF_UNIX, type | kFlags, 0));
  if (!fd) return fail(Code::kSystem, "cannot open a socket for " + path, errno);
  struct stat left_over{};
  if (::lstat(path.c_str(), &left_over) == 0 && S_ISSOCK(left_over.st_mode)) {
    if (type == SOCK_STREAM && somebody_listens(address)) {
      return fail(Code::kSystem, "cannot listen on " + path, EADDRINUSE);
    }
    ::unlink(path.c_str());
  }
  // The file is born with its mode: there is no moment in which others could connect, and no chmod(2) of a path that
  // may have become a link by then. The umask is the whole process's: whoever binds has one thread.
  const mode_t umask = ::umask(~mode & 0777);
  const bool is_bound = ::bind(fd.get(), generic(&address), sizeof address) == 0;
  ::umask(umask);
  if (!is_bound) return fail(Code::kSystem, "cannot bind " + path, errno);
  return fd;
}

}  // namespace

std::string PeerAddress::text() const {
  if (family != AF_INET && family != AF_INET6) return "unix";
  char out[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(family, bytes, out, sizeof out);
  return out;
}

AddressKey PeerAddress::key() const {
  AddressKey key{.family = family};
  if (family == AF_INET || family == AF_INET6) std::memcpy(&key.number, bytes, family == AF_INET ? 4 : 8);
  return key;
}

PeerAddress to_peer_address(const sockaddr_storage& from) {
  PeerAddress peer{.family = from.ss_family};
  if (from.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &from, sizeof v4);
    peer.port = ntohs(v4.sin_port);
    std::memcpy(peer.bytes, &v4.sin_addr, 4);
  } else if (from.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &from, sizeof v6);
    peer.port = ntohs(v6.sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
      peer.family = AF_INET;
      std::memcpy(peer.bytes, &v6.sin6_addr.s6_addr[12], 4);
    } else {
      std::memcpy(peer.bytes, &v6.sin6_addr, 16);
    }
  }
  return peer;
}

PeerAddress to_peer_address(sa_family_t family, const void* bytes, std::uint16_t port) {
  sockaddr_storage storage{};
  if (family == AF_INET) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, bytes, sizeof v4.sin_addr);
    std::memcpy(&storage, &v4, sizeof v4);
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&v6.sin6_addr, bytes, sizeof v6.sin6_addr);
    std::memcpy(&storage, &v6, sizeof v6);
  }
  return to_peer_address(storage);
}

std::optional<PeerAddress> parse_peer_address(sa_family_t family, std::string_view text, std::uint16_t port) {
  char ended[INET6_ADDRSTRLEN] = {};
  if (text.size() >= sizeof ended || text.find('\0') != text.npos) return std::nullopt;
  text.copy(ended, text.size());
  unsigned char bytes[16] = {};
  if (::inet_pton(family, ended, bytes) != 1) return std::nullopt;
  return to_peer_address(family, bytes, port);
}

Result<Fd> listen_tcp(std::string_view host, std::uint16_t port, bool shared) {
  auto address = resolve(host, port);
  auto fd = address ? bind_and_listen(*address, host == "*", shared, host, port)
                    : Result<Fd>(std::unexpected(address.error()));
  // A machine without IPv6 (EAFNOSUPPORT, or EADDRNOTAVAIL where it is disabled) still has every IPv4 address.
  if (!fd && host == "*" && fd.error().number != EADDRINUSE && fd.error().number != EACCES) {
    TRY(const Bindable any, resolve("0.0.0.0", port));
    return bind_and_listen(any, false, shared, host, port);
  }
  return fd;
}

Result<Fd> listen_unix(const std::string& path, mode_t mode) {
  TRY(Fd fd, bind_unix(path, mode, SOCK_STREAM));
  if (::listen(fd.get(), kBacklog) != 0) return fail(Code::kSystem, "cannot listen on " + path, errno);
  return fd;
}

Result<Fd> bind_unix_datagram(const std::string& path, mode_t mode) { return bind_unix(path, mode, SOCK_DGRAM); }

PeerAddress local_address(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  ::getsockname(fd, static_cast<sockaddr*>(static_cast<void*>(&address)), &length);
  return to_peer_address(address);
}

std::uint16_t local_port(int fd) { return local_address(fd).port; }

Fd accept_from(int listener, PeerAddress& peer) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  Fd fd(::accept4(listener, static_cast<sockaddr*>(static_cast<void*>(&address)), &length, kFlags));
  if (fd) peer = to_peer_address(address);
  return fd;
}

Fd connect_unix(const std::string& path) {
  const auto address = unix_address(path);
  if (!address) {
    errno = ENAMETOOLONG;
    return {};
  }
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | kFlags, 0));
  if (fd && ::connect(fd.get(), generic(&*address), sizeof *address) != 0) {
    const int reason = errno;
    fd.reset();
    errno = reason;
  }
  return fd;
}

void set_no_delay(int fd) { set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1); }

Bytes untaken(int fd) {
  int n = 0;
  return ::ioctl(fd, SIOCOUTQ, &n) == 0 && n > 0 ? static_cast<Bytes>(n) : 0;
}

void reset_on_close(int fd) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace runtime
