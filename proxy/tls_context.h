// The TLS policy of this front: versions, suites, ALPN, and which certificate answers to which name (SNI).
// Built whole from descriptors that the supervisor opened; a new set replaces the old one at once, also on
// running listeners.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conf/settings.h"
#include "runtime/fd.h"
#include "runtime/result.h"

struct ssl_ctx_st;

namespace proxy {

/// A certificate as it comes from the supervisor: descriptors of PEM files, read here.
struct CertificateFiles {
  std::string name;  ///< the file's name without .crt
  runtime::Fd certificate, key;
};

/// OpenSSL reads its own configuration now, not when the first certificate comes: a fence may stand between then.
void begin_tls();

/// When a certificate of the set is over.
struct CertificateExpiry {
  std::string name;      ///< as in CertificateFiles
  std::int64_t seconds;  ///< since 1970, UTC
};

class TlsContext {
 public:
  /// TLS 1.2 with AEAD suites and 1.3 (as conf says), no renegotiation, no compression, session tickets, ALPN
  /// h2 then http/1.1. Errors: which certificate, and what is wrong with it; no certificate at all.
  static runtime::Result<std::unique_ptr<TlsContext>> make(const conf::Tls&, std::vector<CertificateFiles>);
  ~TlsContext();

  /// The certificate for this name: exact, then one-label wildcard, then the first file by name.
  ssl_ctx_st* choose(std::string_view server_name) const;
  /// Of each certificate, by name.
  const std::vector<CertificateExpiry>& expiries() const;

 private:
  friend class TlsStream;
  TlsContext();
  struct Parts;
  // Owned by this context and by every TlsStream that began under it: a replaced set lives as long as they
  // do.
  std::shared_ptr<Parts> parts_;
};

}  // namespace proxy
