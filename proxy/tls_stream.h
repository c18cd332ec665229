// TLS on one accepted connection: bytes in clear on this side, records on the socket. Not the policy
// (versions, suites, certificates): see tls_context.h. OpenSSL's types stay behind this header.
#pragma once
#include <memory>
#include <span>
#include <string_view>

#include "runtime/bytes.h"
#include "runtime/fd.h"

struct ssl_st;

namespace proxy {

class TlsContext;

class TlsStream {
 public:
  /// `fd` must outlive the stream. The context may be replaced meanwhile; this stream keeps what it began
  /// with.
  TlsStream(TlsContext& context, int fd);
  ~TlsStream();

  /// kProgress: the handshake is done. kWant: call again when the socket is ready (see wants_write()).
  /// kFailed: close.
  runtime::Io handshake();
  /// The client has said something, and been answered.
  bool has_begun() const;
  /// Whether the last kWant waits for the socket to take bytes.
  bool wants_write() const { return wants_write_; }

  /// One record's worth at most. kClosed is close_notify or end of input, or too many records in a row that bring no
  /// data. n is set with kProgress.
  runtime::Io read(std::span<char> into, runtime::Bytes& n);
  /// Decrypted or encrypted bytes wait inside: read again without waiting for the socket.
  bool has_pending() const;
  /// At most one record (16 KiB). After kWant call again with the same bytes at the front (more may follow).
  runtime::Io write(std::string_view bytes, runtime::Bytes& n);
  /// Sends close_notify, so that an answer that ends with the connection is known to be whole.
  void say_goodbye();

  /// "h2", "http/1.1" or "".
  std::string_view alpn() const;
  /// "TLSv1.3"
  std::string_view version() const;
  /// Why the last call failed, in OpenSSL's words; for the debug log.
  std::string_view reason() const { return reason_; }

 private:
  friend struct TlsCallbacks;
  void dataless_record_came();
  runtime::Io outcome(int result);
  struct Free {
    void operator()(ssl_st*) const;
  };
  // The certificates to choose from; owned by the TlsContext and by every stream that began under it.
  std::shared_ptr<const void> certificates_;
  std::unique_ptr<ssl_st, Free> ssl_;
  int dataless_ = 0;          // records since the last data: counted after the handshake, see dataless_record_came()
  std::string_view reason_;   // set by outcome(); OpenSSL's static text
  bool wants_write_ = false;  // set by outcome()
  bool is_broken_ = false;    // a fatal error came: nothing more may be said on it (SSL_get_error(3))
};

}  // namespace proxy
