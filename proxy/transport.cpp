#include "proxy/transport.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace proxy {
namespace {

using runtime::ByteQueue;
using runtime::Bytes;
using runtime::Io;

constexpr Bytes kRecord = 16384;  // RFC 8446 5.1: the most a record carries

Io io_of(ssize_t n) {
  if (n > 0) return Io::kProgress;
  if (n == 0) return Io::kClosed;
  return errno == EAGAIN || errno == EINTR ? Io::kWant : Io::kFailed;
}

}  // namespace

Io Transport::read(std::span<char> into, Bytes& n) {
  if (tls_) return tls_->read(into, n);
  const ssize_t got = ::read(fd_.get(), into.data(), into.size());
  n = got > 0 ? static_cast<Bytes>(got) : 0;
  return io_of(got);
}

Io Transport::flush(ByteQueue& queue) { return tls_ ? flush_tls(queue) : flush_plain(queue); }

Io Transport::flush_plain(ByteQueue& queue) {
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

/// What is small goes out together: head and body of an answer are one record and one system call.
Io Transport::flush_tls(ByteQueue& queue) {
  thread_local std::array<char, kRecord> record;
  while (!queue.is_empty()) {
    iovec first;
    queue.front({&first, 1});
    std::string_view bytes(static_cast<const char*>(first.iov_base), first.iov_len);
    if (bytes.size() < kRecord && bytes.size() < queue.size()) bytes = {record.data(), queue.peek(record.data(), kRecord)};
    Bytes sent = 0;
    const Io io = tls_->write(bytes, sent);
    if (io != Io::kProgress) return io;
    queue.drop(sent);
  }
  return Io::kProgress;
}

void Transport::close_write() {
  if (tls_) tls_->say_goodbye();
  ::shutdown(fd_.get(), SHUT_WR);
}

}  // namespace proxy
