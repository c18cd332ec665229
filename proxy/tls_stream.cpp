#include "proxy/tls_stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstdlib>

#include "proxy/tls_parts.h"

namespace proxy {

using runtime::Bytes;
using runtime::Io;

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
  return result == 1 ? Io::kProgress : outcome(result);
}

Io TlsStream::read(std::span<char> into, Bytes& n) {
  ERR_clear_error();
  const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &n);
  return result == 1 ? Io::kProgress : outcome(result);
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
