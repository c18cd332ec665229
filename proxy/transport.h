// The bytes of one client connection, in clear: a plain socket or TLS on it. Knows no HTTP.
#pragma once
#include <memory>
#include <optional>
#include <span>

#include "proxy/tls_stream.h"
#include "runtime/buffer.h"
#include "runtime/fd.h"

namespace proxy {

class Transport {
 public:
  explicit Transport(runtime::Fd fd) : fd_(std::move(fd)) {}
  Transport(runtime::Fd fd, TlsContext& context)
      : fd_(std::move(fd)), tls_(std::make_unique<TlsStream>(context, fd_.get())) {}

  int fd() const { return fd_.get(); }
  TlsStream* tls() const { return tls_.get(); }

  /// Before TLS begins: bytes that lie in the socket and stay there, and how many of them go.
  runtime::Io peek(std::span<char> into, runtime::Bytes& n);
  void skip(runtime::Bytes n);
  /// One read(2) or one TLS record.
  runtime::Io read(std::span<char> into, runtime::Bytes& n);
  /// Takes what lies in the socket and throws it away, unseen: no copy of it is made, and of TLS no record is decrypted.
  runtime::Io discard(runtime::Bytes& n);
  /// More can be read without waiting for the socket.
  bool has_pending() const { return tls_ && tls_->has_pending(); }
  /// Writes from the front of the queue and drops what was taken: until it is empty (kProgress) or the socket is full.
  runtime::Io flush(runtime::ByteQueue& queue);
  /// After a flush() that found the socket full: whether the other side has taken something of what lies in it since then, or
  /// since this was asked last. The kernel calls a socket writable only when a good part of it has become free.
  bool has_been_taken_from();
  /// No more bytes from us: close_notify, then FIN.
  void close_write();

 private:
  runtime::Io flush_plain(runtime::ByteQueue& queue);
  runtime::Io flush_tls(runtime::ByteQueue& queue);
  runtime::Fd fd_;
  std::unique_ptr<TlsStream> tls_;          // empty: plain
  std::optional<runtime::Bytes> untaken_;  // in the socket, when it had been written to and was full
};

}  // namespace proxy
