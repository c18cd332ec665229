#include "proxy/tls_context.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <ctime>

#include "proxy/tls_parts.h"
#include "runtime/log.h"
#include "runtime/text.h"

namespace proxy {
namespace {

using runtime::Code;
using runtime::fail;
using runtime::Result;

// A chain of certificates is a few KiB; a file past this is something else.
constexpr runtime::Bytes kLargestFile = 256 * 1024;

// RFC 9325 4.2: forward secrecy and AEAD only. The 128 bit suites first: nobody breaks them, and they are
// cheaper.
constexpr const char* kSuites12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kSuites13 =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeX509 {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeNames {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;
using Certificate = std::unique_ptr<X509, FreeX509>;
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

std::string openssl_says() {
  const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return reason == nullptr ? "unknown" : reason;
}

/// What a PEM file holds. Wiped when it goes: it may be a key.
class PemText {
 public:
  PemText() = default;
  PemText(PemText&&) = default;
  PemText& operator=(PemText&&) = default;
  ~PemText() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

  static Result<PemText> read(int fd, const std::string& file) {
    PemText text;
    text.bytes_.resize(kLargestFile + 1);  // once: growing would leave copies behind
    std::size_t size = 0;
    while (size < text.bytes_.size()) {
      const ssize_t n =
          ::pread(fd, text.bytes_.data() + size, text.bytes_.size() - size, static_cast<off_t>(size));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return fail(Code::kConfig, fmt::format("tls: {} cannot be read", file), errno);
      if (n == 0) break;
      size += static_cast<std::size_t>(n);
    }
    if (size > kLargestFile) return fail(Code::kConfig, fmt::format("tls: {} is larger than 256 KiB", file));
    text.size_ = size;
    return text;
  }

  Bio open() const { return Bio(BIO_new_mem_buf(bytes_.data(), static_cast<int>(size_))); }

 private:
  std::vector<char> bytes_;
  std::size_t size_ = 0;
};

/// Never asks: a front has no terminal.
int no_password(char*, int, int, void*) noexcept {
  return -1;
}

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                    unsigned int offered_size, void*) noexcept {
  static constexpr unsigned char kOurs[] = "\x02h2\x08http/1.1";
  unsigned char* chosen = nullptr;
  const int found = SSL_select_next_proto(&chosen, out_size, kOurs, sizeof kOurs - 1, offered, offered_size);
  // RFC 7301 3.2: without a protocol in common there is nothing to talk about.
  if (found != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

int choose_certificate(SSL* ssl, int*, void* parts) noexcept {
  const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
  SSL_set_SSL_CTX(ssl, static_cast<const CertificateSet*>(parts)->choose(name));
  return SSL_TLSEXT_ERR_OK;
}

/// Name, code and MAC key of session tickets: one set for all threads and all certificates, as long as this
/// front lives.
using TicketKeys = std::array<unsigned char, 80>;
const TicketKeys& ticket_keys() {
  static const TicketKeys keys = [] {
    TicketKeys random;
    if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) std::abort();
    return random;
  }();
  return keys;
}

void set_policy(SSL_CTX* context, const conf::Tls& tls) {
  SSL_CTX_set_min_proto_version(context,
                                tls.min_version == conf::TlsVersion::k13 ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context, kSuites12);
  SSL_CTX_set_ciphersuites(context, kSuites13);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                   SSL_OP_IGNORE_UNEXPECTED_EOF);
  // Released buffers are what makes an idle connection cheap; reading ahead saves a system call for each
  // record.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
}

void set_sessions(SSL_CTX* context) {
  static constexpr unsigned char kName[] = "portherd";
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_session_id_context(context, kName, sizeof kName - 1);
  TicketKeys keys = ticket_keys();
  SSL_CTX_set_tlsext_ticket_keys(context, keys.data(), static_cast<long>(keys.size()));
  OPENSSL_cleanse(keys.data(), keys.size());
}

void warn_of_dates(const std::string& file, const X509* certificate) {
  if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) {
    runtime::log(runtime::Level::kWarning, "certificate has expired", {{"file", file}});
  } else if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0) {
    runtime::log(runtime::Level::kWarning, "certificate is not valid yet", {{"file", file}});
  }
}

/// RFC 5280 4.1.2.5, in seconds since 1970.
std::int64_t expiry_of(const X509* certificate) {
  std::tm end{};
  return ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) == 1 ? ::timegm(&end) : 0;
}

/// The server's own certificate, then the chain to its issuer (RFC 8446 4.4.2).
Result<Certificate> use_chain(SSL_CTX* context, const PemText& text, const std::string& file) {
  const Bio bio = text.open();
  Certificate own(PEM_read_bio_X509_AUX(bio.get(), nullptr, no_password, nullptr));
  if (!own)
    return fail(Code::kConfig, fmt::format("tls: {} has no certificate in it ({})", file, openssl_says()));
  if (SSL_CTX_use_certificate(context, own.get()) != 1) {
    return fail(Code::kConfig, fmt::format("tls: {} cannot be used ({})", file, openssl_says()));
  }
  warn_of_dates(file, own.get());
  while (Certificate issuer{PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr)}) {
    warn_of_dates(file, issuer.get());
    if (SSL_CTX_add1_chain_cert(context, issuer.get()) != 1) {
      return fail(Code::kConfig,
                  fmt::format("tls: the chain in {} cannot be used ({})", file, openssl_says()));
    }
  }
  const unsigned long last = ERR_peek_last_error();
  if (ERR_GET_LIB(last) != ERR_LIB_PEM || ERR_GET_REASON(last) != PEM_R_NO_START_LINE) {
    return fail(Code::kConfig,
                fmt::format("tls: {} has a broken certificate in it ({})", file, openssl_says()));
  }
  ERR_clear_error();  // the end of the file
  return own;
}

Result<void> use_key(SSL_CTX* context, const X509* own, const PemText& text, const std::string& name) {
  const Bio bio = text.open();
  const Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (!key) {
    return fail(Code::kConfig, fmt::format("tls: {}.key has no key in it, or one that wants a password ({})",
                                           name, openssl_says()));
  }
  if (X509_check_private_key(own, key.get()) != 1) {
    ERR_clear_error();
    return fail(Code::kConfig, fmt::format("tls: {0}.key is not the key of {0}.crt", name));
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    return fail(Code::kConfig, fmt::format("tls: {}.key cannot be used ({})", name, openssl_says()));
  }
  return {};
}

/// Lower case; empty for what is no name (a NUL in it was an attack once).
std::string name_in(const ASN1_STRING* string) {
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, string);
  if (size < 0) {
    ERR_clear_error();
    return {};
  }
  std::string name;
  for (int i = 0; i < size; ++i) name += runtime::lower(static_cast<char>(text[i]));
  OPENSSL_free(text);
  return name.find('\0') == name.npos ? name : std::string();
}

/// RFC 9525 6: the DNS names among the alternative names; the common name only where there is none of them.
std::vector<std::string> names_of(const X509* certificate) {
  std::vector<std::string> names;
  const std::unique_ptr<GENERAL_NAMES, FreeNames> alternative(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; alternative && i < sk_GENERAL_NAME_num(alternative.get()); ++i) {
    const GENERAL_NAME* const one = sk_GENERAL_NAME_value(alternative.get(), i);
    if (one->type == GEN_DNS) names.push_back(name_in(one->d.dNSName));
  }
  if (!names.empty()) return names;
  const X509_NAME* const subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at >= 0) names.push_back(name_in(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))));
  return names;
}

}  // namespace

void CertificateSet::FreeContext::operator()(SSL_CTX* context) const {
  SSL_CTX_free(context);
}

Result<void> CertificateSet::add(const conf::Tls& tls, const CertificateFiles& files) {
  ERR_clear_error();
  Context context(SSL_CTX_new(TLS_server_method()));
  if (!context) return fail(Code::kSystem, fmt::format("tls: cannot begin ({})", openssl_says()));
  set_policy(context.get(), tls);
  set_sessions(context.get());
  // SSL_CTX_set_tlsext_servername_callback(3) is a macro with a cast in it that our warnings do not let pass.
  SSL_CTX_callback_ctrl(context.get(), SSL_CTRL_SET_TLSEXT_SERVERNAME_CB,
                        reinterpret_cast<void (*)()>(choose_certificate));
  SSL_CTX_set_tlsext_servername_arg(context.get(), this);

  const std::string file = files.name + ".crt";
  TRY(const PemText chain, PemText::read(files.certificate.get(), file));
  TRY(const PemText key, PemText::read(files.key.get(), files.name + ".key"));
  TRY(const Certificate own, use_chain(context.get(), chain, file));
  TRY_VOID(use_key(context.get(), own.get(), key, files.name));
  for (std::string& name : names_of(own.get())) {
    if (!name.empty()) by_name_.emplace(std::move(name), context.get());  // the first file by name keeps it
  }
  expiries_.push_back({files.name, expiry_of(own.get())});
  contexts_.push_back(std::move(context));
  return {};
}

SSL_CTX* CertificateSet::choose(std::string_view server_name) const {
  constexpr std::size_t kLongestName = 253;  // RFC 1035 3.1, as text
  if (server_name.ends_with('.')) server_name.remove_suffix(1);
  if (server_name.size() > kLongestName) return first();
  std::array<char, kLongestName + 1> lower;
  const auto end = std::transform(server_name.begin(), server_name.end(), lower.begin() + 1, runtime::lower);
  std::string_view name(lower.data() + 1, static_cast<std::size_t>(end - lower.begin()) - 1);
  if (const auto exact = by_name_.find(name); exact != by_name_.end()) return exact->second;
  const std::size_t dot = name.find('.');
  if (dot == name.npos) return first();
  // "*.example.com" stands for one label (RFC 9525 6.3): the star takes the byte before the dot.
  lower[dot] = '*';
  const auto wildcard = by_name_.find({lower.data() + dot, name.size() - dot + 1});
  return wildcard == by_name_.end() ? first() : wildcard->second;
}

void begin_tls() { ::OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, nullptr); }

TlsContext::TlsContext() : parts_(std::make_shared<Parts>()) {}

TlsContext::~TlsContext() = default;

Result<std::unique_ptr<TlsContext>> TlsContext::make(const conf::Tls& tls,
                                                     std::vector<CertificateFiles> files) {
  if (files.empty()) return fail(Code::kConfig, "tls: there is no certificate");
  std::ranges::sort(files, {}, &CertificateFiles::name);
  std::unique_ptr<TlsContext> context(new TlsContext());
  for (const CertificateFiles& file : files) TRY_VOID(context->parts_->add(tls, file));
  return context;
}

ssl_ctx_st* TlsContext::choose(std::string_view server_name) const {
  return parts_->choose(server_name);
}

const std::vector<CertificateExpiry>& TlsContext::expiries() const {
  return parts_->expiries();
}

}  // namespace proxy
