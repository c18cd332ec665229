#include "upstream/connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "runtime/socket.h"
#include "runtime/text.h"

namespace upstream {
namespace {

using runtime::Bytes;
using runtime::Fd;
using runtime::Io;

constexpr std::string_view kPort = "port:";

/// Loopback connects or fails at once, unless the program's backlog is full: then the kernel tries again for minutes
/// (listen(2), tcp_syn_retries). There is no state "connecting" for that: until then the socket takes no bytes.
Fd connect_port(std::uint16_t port) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const void* address = &to;
  if (::connect(fd.get(), static_cast<const sockaddr*>(address), sizeof to) != 0 && errno != EINPROGRESS) {
    const int reason = errno;
    fd.reset();
    errno = reason;
    return fd;
  }
  runtime::set_no_delay(fd.get());
  return fd;
}

Io io_of(ssize_t n) {
  if (n > 0) return Io::kProgress;
  if (n == 0) return Io::kClosed;
  return errno == EAGAIN || errno == EINTR ? Io::kWant : Io::kFailed;
}

}  // namespace

std::unique_ptr<Connection> Connection::open(runtime::Loop& loop, const Worker& worker) {
  const std::string& socket = worker.socket;
  const auto port = socket.starts_with(kPort) ? runtime::parse_number(socket.substr(kPort.size())) : std::nullopt;
  Fd fd = port ? connect_port(static_cast<std::uint16_t>(*port)) : runtime::connect_unix(socket);
  if (!fd) return nullptr;
  auto made = std::make_unique<Connection>(loop, std::move(fd));
  made->watch_.want_read(true);
  return made;
}

Io Connection::read(std::span<char> into, Bytes& n) {
  const ssize_t got = ::read(fd_.get(), into.data(), into.size());
  n = got > 0 ? static_cast<Bytes>(got) : 0;
  return io_of(got);
}

Io Connection::flush(runtime::ByteQueue& queue) {
  std::array<iovec, 16> parts;
  while (!queue.is_empty()) {
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = queue.front(parts);
    const ssize_t sent = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EINTR ? Io::kWant : Io::kFailed;
    queue.drop(static_cast<Bytes>(sent));
  }
  return Io::kProgress;
}

void Connection::close_write() { ::shutdown(fd_.get(), SHUT_WR); }

}  // namespace upstream
