// What a TlsContext is made of: OpenSSL's contexts, one a certificate, and the names they answer to. For
// tls_context and tls_stream only, because OpenSSL's types show here.
#pragma once
#include <openssl/ssl.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/tls_context.h"

namespace proxy {

/// Read by all threads once it is built.
class CertificateSet {
 public:
  CertificateSet() = default;
  CertificateSet(const CertificateSet&) = delete;  // its contexts call it back
  CertificateSet& operator=(const CertificateSet&) = delete;

  /// In the order of the files' names. Errors: see TlsContext::make().
  runtime::Result<void> add(const conf::Tls&, const CertificateFiles&);
  SSL_CTX* choose(std::string_view server_name) const;
  SSL_CTX* first() const { return contexts_.front().get(); }
  const std::vector<CertificateExpiry>& expiries() const { return expiries_; }

 private:
  struct FreeContext {
    void operator()(SSL_CTX*) const;
  };
  using Context = std::unique_ptr<SSL_CTX, FreeContext>;
  std::vector<Context> contexts_;
  std::vector<CertificateExpiry> expiries_;
  std::map<std::string, SSL_CTX*, std::less<>> by_name_;  // lower case, "*.example.com" too; into contexts_
};

struct TlsContext::Parts : CertificateSet {};

}  // namespace proxy
