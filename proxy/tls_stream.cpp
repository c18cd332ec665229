#include "proxy/tls_stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cerrno>

#include "proxy/tls_context.h"

namespace proxy {

using runtime::Bytes;
using runtime::Io;

void TlsStream::Free::operator()(ssl_st* ssl) const { SSL_free(ssl); }

TlsStream::TlsStream(TlsContext& context, int fd) : ssl_(SSL_new(context.choose(""))) {
  if (!ssl_) std::abort();  // out of memory ends the process (docs/architecture.md)
  SSL_set_fd(ssl_.get(), fd);
  SSL_set_accept_state(ssl_.get());
}

TlsStream::~TlsStream() = default;

Io TlsStream::handshake() {
  ERR_clear_error();
  return outcome(SSL_do_handshake(ssl_.get()));
}

Io TlsStream::read(std::span<char> into, Bytes& n) {
  ERR_clear_error();
  std::size_t got = 0;
  const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &got);
  n = got;
  return outcome(result);
}

bool TlsStream::has_pending() const { return SSL_has_pending(ssl_.get()) == 1; }

Io TlsStream::write(std::string_view bytes, Bytes& n) {
  ERR_clear_error();
  std::size_t sent = 0;
  const int result = SSL_write_ex(ssl_.get(), bytes.data(), std::min<Bytes>(bytes.size(), 16384), &sent);
  n = sent;
  return outcome(result);
}

void TlsStream::say_goodbye() {
  ERR_clear_error();
  // Only what is sound can be said goodbye to; without a finished handshake OpenSSL makes this an error.
  if (SSL_is_init_finished(ssl_.get()) == 1 && reason_.empty()) SSL_shutdown(ssl_.get());
}

std::string_view TlsStream::alpn() const {
  const unsigned char* name = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &length);
  const void* text = name;
  return {static_cast<const char*>(text), length};
}

std::string_view TlsStream::version() const { return SSL_get_version(ssl_.get()); }

Io TlsStream::outcome(int result) {
  wants_write_ = false;
  if (result > 0) return Io::kProgress;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return Io::kWant;
    case SSL_ERROR_WANT_WRITE:
      wants_write_ = true;
      return Io::kWant;
    case SSL_ERROR_ZERO_RETURN:
      return Io::kClosed;
    case SSL_ERROR_SYSCALL:
      reason_ = "the connection was reset";
      return Io::kFailed;
    default: {
      const char* reason = ERR_reason_error_string(ERR_peek_last_error());
      reason_ = reason != nullptr ? reason : "TLS failed";
      ERR_clear_error();
      return Io::kFailed;
    }
  }
}

}  // namespace proxy
