#include "proxy/transport.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "runtime/socket.h"

namespace proxy {
namespace {

using runtime::ByteQueue;
using runtime::Bytes;
using runtime::Io;
using runtime::Slice;

constexpr std::size_t kMostBuffers = 16;
// RFC 8446 5.1: what a record holds at most.
constexpr Bytes kRecord = 16 * 1024;

/// Where small pieces become one record: one a thread, because OpenSSL has encrypted them before it returns.
thread_local std::array<char, kRecord> gathered;

Io outcome_of_errno() {
  return errno == EAGAIN || errno == EWOULDBLOCK ? Io::kWant : Io::kFailed;
}

Io receive(int fd, std::span<char> into, int flags, Bytes& n) {
  for (;;) {
    const ssize_t got = ::recv(fd, into.data(), into.size(), flags);
    if (got > 0) {
      n = static_cast<Bytes>(got);
      return Io::kProgress;
    }
    if (got == 0) return Io::kClosed;
    if (errno != EINTR) return outcome_of_errno();
  }
}

/// The bytes of the next record, in one piece. After a kWant it is called again with the same bytes in front,
/// so what it gives then begins with what it gave before.
std::string_view next_record(const ByteQueue& queue) {
  const Slice first = queue.at(0);
  if (first.size >= kRecord || first.size == queue.size()) return first.view().substr(0, kRecord);
  return {gathered.data(), queue.peek(gathered.data(), gathered.size())};
}

}  // namespace

Io Transport::peek(std::span<char> into, Bytes& n) { return receive(fd_.get(), into, MSG_PEEK, n); }

void Transport::skip(Bytes n) {
  std::array<char, 512> away;
  for (Bytes got = 0; n > 0; n -= got) {
    if (receive(fd_.get(), {away.data(), std::min<Bytes>(n, away.size())}, 0, got) != Io::kProgress) return;
  }
}

Io Transport::read(std::span<char> into, Bytes& n) {
  return tls_ ? tls_->read(into, n) : receive(fd_.get(), into, 0, n);
}

/// tcp(7), MSG_TRUNC. Of a Unix socket the bytes are copied all the same, so there has to be room for them.
Io Transport::discard(Bytes& n) {
  thread_local std::array<char, 64 * 1024> away;
  return receive(fd_.get(), away, MSG_TRUNC, n);
}

Io Transport::flush(ByteQueue& queue) {
  const Bytes before = queue.size();
  const Io io = tls_ ? flush_tls(queue) : flush_plain(queue);
  if (io != Io::kWant) {
    untaken_.reset();
    return io;
  }
  const Bytes now = runtime::untaken(fd_.get());
  untaken_ = queue.size() < before ? now : std::max(now, untaken_.value_or(0));
  return io;
}

bool Transport::has_been_taken_from() {
  const Bytes now = runtime::untaken(fd_.get());
  return untaken_ && now < std::exchange(untaken_, now);
}

Io Transport::flush_plain(ByteQueue& queue) {
  while (!queue.is_empty()) {
    std::array<iovec, kMostBuffers> buffers;
    msghdr message{};
    message.msg_iov = buffers.data();
    message.msg_iovlen = queue.front(buffers);
    Bytes offered = 0;
    for (std::size_t i = 0; i < message.msg_iovlen; ++i) offered += buffers[i].iov_len;
    const ssize_t sent = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return outcome_of_errno();
    queue.drop(static_cast<Bytes>(sent));
    if (static_cast<Bytes>(sent) < offered) return Io::kWant;  // full: asking again would only say so
  }
  return Io::kProgress;
}

Io Transport::flush_tls(ByteQueue& queue) {
  while (!queue.is_empty()) {
    Bytes n = 0;
    const Io io = tls_->write(next_record(queue), n);
    if (io != Io::kProgress) return io;
    queue.drop(n);
  }
  return Io::kProgress;
}

void Transport::close_write() {
  if (tls_) tls_->say_goodbye();
  ::shutdown(fd_.get(), SHUT_WR);
}

}  // namespace proxy
