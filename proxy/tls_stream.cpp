#include "proxy/tls_stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstdlib>

#include "proxy/tls_parts.h"

namespace proxy {

using runtime::Bytes;
using runtime::Io;

namespace {

// A KeyUpdate is due after some 2^24 records (RFC 8446 5.5); nothing else may come between the data.
constexpr int kMostDataless = 32;

}  // namespace

struct TlsCallbacks {
  /// SSL_CTX_set_msg_callback(3). The content type of a record is the first byte of its head, in TLS 1.3 of what is within.
  static void on_message(int is_ours, int version, int type, const void* bytes, std::size_t size, SSL*, void* self) noexcept {
    if (is_ours != 0 || size == 0) return;
    const bool is_type = type == SSL3_RT_INNER_CONTENT_TYPE || (type == SSL3_RT_HEADER && version < TLS1_3_VERSION);
    if (!is_type || *static_cast<const unsigned char*>(bytes) == SSL3_RT_APPLICATION_DATA) return;
    static_cast<TlsStream*>(self)->dataless_record_came();
  }
};

/// OpenSSL reads on within one call until data comes. A client that sends nothing but KeyUpdates, or asks again and again
/// to renegotiate, would hold the loop for as long as it likes.
void TlsStream::dataless_record_came() {
  if (++dataless_ > kMostDataless) SSL_set_shutdown(ssl_.get(), SSL_get_shutdown(ssl_.get()) | SSL_RECEIVED_SHUTDOWN);
}

void TlsStream::Free::operator()(ssl_st* ssl) const {
  SSL_free(ssl);
}

TlsStream::TlsStream(TlsContext& context, int fd)
    : certificates_(context.parts_), ssl_(SSL_new(context.parts_->first())) {
  if (!ssl_ || SSL_set_fd(ssl_.get(), fd) != 1) std::abort();  // out of memory ends the process
  SSL_set_accept_state(ssl_.get());
}

TlsStream::~TlsStream() = default;

Io TlsStream::handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result != 1) return outcome(result);
  SSL_set_msg_callback(ssl_.get(), TlsCallbacks::on_message);
  SSL_ctrl(ssl_.get(), SSL_CTRL_SET_MSG_CALLBACK_ARG, 0, this);
  return Io::kProgress;
}

bool TlsStream::has_begun() const { return SSL_in_before(ssl_.get()) == 0; }

Io TlsStream::read(std::span<char> into, Bytes& n) {
  ERR_clear_error();
  const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &n);
  if (result != 1) return outcome(result);
  dataless_ = 0;
  return Io::kProgress;
}

bool TlsStream::has_pending() const {
  return !is_broken_ && SSL_has_pending(ssl_.get()) == 1;
}

Io TlsStream::write(std::string_view bytes, Bytes& n) {
  if (bytes.empty()) {
    n = 0;
    return Io::kProgress;
  }
  ERR_clear_error();
  const Bytes size = std::min<Bytes>(bytes.size(), SSL3_RT_MAX_PLAIN_LENGTH);
  const int result = SSL_write_ex(ssl_.get(), bytes.data(), size, &n);
  return result == 1 ? Io::kProgress : outcome(result);
}

void TlsStream::say_goodbye() {
  if (is_broken_ || SSL_is_init_finished(ssl_.get()) != 1) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();  // a socket that takes nothing any more: then it goes without
}

/// What the last call came to, `result` being what it returned.
Io TlsStream::outcome(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      wants_write_ = false;
      return Io::kWant;
    case SSL_ERROR_WANT_WRITE:
      wants_write_ = true;
      return Io::kWant;
    case SSL_ERROR_ZERO_RETURN:
      return Io::kClosed;
    default:
      break;
  }
  is_broken_ = true;
  const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
  reason_ = reason == nullptr ? "connection was lost" : reason;
  ERR_clear_error();
  return Io::kFailed;
}

std::string_view TlsStream::alpn() const {
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return {static_cast<const char*>(static_cast<const void*>(name)), size};
}

std::string_view TlsStream::version() const {
  return SSL_get_version(ssl_.get());
}

}  // namespace proxy
