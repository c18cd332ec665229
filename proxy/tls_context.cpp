#include "proxy/tls_context.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <map>

#include "runtime/bytes.h"
#include "runtime/log.h"
#include "runtime/text.h"

namespace proxy {
namespace {

using namespace runtime::literals;
using runtime::Code;
using runtime::fail;
using runtime::Result;

template <class T, void (*F)(T*)>
struct Freed {
  void operator()(T* p) const { F(p); }
};
void free_bio(BIO* bio) { BIO_free(bio); }
void free_names(GENERAL_NAMES* names) { GENERAL_NAMES_free(names); }
using Bio = std::unique_ptr<BIO, Freed<BIO, free_bio>>;
using Certificate = std::unique_ptr<X509, Freed<X509, X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY, EVP_PKEY_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES, free_names>>;
using SslContext = std::unique_ptr<SSL_CTX, Freed<SSL_CTX, SSL_CTX_free>>;

constexpr runtime::Bytes kMostPem = 256_KiB;

// RFC 9325 4.2: forward secrecy and AEAD only.
constexpr const char* kTls12Ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr unsigned char kAlpn[] = "\x02h2\x08http/1.1";

/// OpenSSL's words for what failed last.
std::string openssl_reason() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return reason != nullptr ? reason : "unknown reason";
}

Result<std::string> read_pem(const std::string& name, int fd) {
  struct stat about{};
  if (fd < 0 || ::fstat(fd, &about) != 0) return fail(Code::kSystem, "cannot look at " + name, errno);
  if (static_cast<runtime::Bytes>(about.st_size) > kMostPem) return fail(Code::kConfig, name + " is larger than 256 KiB");
  std::string text(static_cast<std::size_t>(about.st_size), '\0');
  if (::pread(fd, text.data(), text.size(), 0) != about.st_size) return fail(Code::kSystem, "cannot read " + name, errno);
  return text;
}

Bio bio_of(const std::string& pem) { return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))); }

/// The process's ticket keys: the same for every context and thread, so that a session resumes wherever it lands, and
/// gone with the process.
std::string_view ticket_keys() {
  static const std::array<char, 80> keys = [] {
    std::array<unsigned char, 80> random{};
    if (RAND_bytes(random.data(), random.size()) != 1) std::abort();  // without randomness there is no TLS
    std::array<char, 80> made{};
    std::copy(random.begin(), random.end(), made.begin());
    return made;
  }();
  return {keys.data(), keys.size()};
}

int choose_alpn(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* offered,
                unsigned offered_length, void*) noexcept {
  unsigned char* chosen = nullptr;
  const int found = SSL_select_next_proto(&chosen, out_length, kAlpn, sizeof kAlpn - 1, offered, offered_length);
  *out = chosen;
  // RFC 7301 3.2: a client that speaks neither is told so.
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

int choose_certificate(SSL* ssl, int*, void* self) noexcept {
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name != nullptr) SSL_set_SSL_CTX(ssl, static_cast<const TlsContext*>(self)->choose(name));
  return SSL_TLSEXT_ERR_OK;
}

std::string lower(std::string_view text) {
  std::string folded(text);
  std::transform(folded.begin(), folded.end(), folded.begin(), runtime::lower);
  return folded;
}

std::string_view view(const ASN1_STRING* text) {
  const void* data = ASN1_STRING_get0_data(text);
  return {static_cast<const char*>(data), static_cast<std::size_t>(ASN1_STRING_length(text))};
}

/// subjectAltName's DNS names; the common name only if there are none (RFC 6125 6.4.4).
std::vector<std::string> names_of(X509* certificate) {
  std::vector<std::string> found;
  const Names names(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) found.push_back(lower(view(name->d.dNSName)));
  }
  if (found.empty()) {
    X509_NAME* subject = X509_get_subject_name(certificate);
    const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at >= 0) found.push_back(lower(view(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)))));
  }
  return found;
}

void warn_if_expired(const std::string& name, X509* certificate) {
  if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) {
    runtime::log(runtime::Level::kWarning, "a certificate has expired", {{"certificate", name}});
  }
}

Result<void> set_chain(SSL_CTX* context, const std::string& name, BIO* pem) {
  for (bool is_first = true;; is_first = false) {
    Certificate certificate(PEM_read_bio_X509(pem, nullptr, nullptr, nullptr));
    if (!certificate && is_first) return fail(Code::kConfig, fmt::format("{}.crt holds no PEM certificate: {}", name, openssl_reason()));
    if (!certificate) break;
    const bool is_set = is_first ? SSL_CTX_use_certificate(context, certificate.get()) == 1
                                 : SSL_CTX_add1_chain_cert(context, certificate.get()) == 1;
    if (!is_set) return fail(Code::kConfig, fmt::format("{}.crt cannot be used: {}", name, openssl_reason()));
    if (is_first) warn_if_expired(name, certificate.get());
  }
  ERR_clear_error();  // the end of the file is an error to OpenSSL
  return {};
}

Result<void> set_key(SSL_CTX* context, const std::string& name, BIO* pem) {
  // No pass phrase can be asked for here: an encrypted key is an error, not a prompt.
  const auto no_phrase = [](char*, int, int, void*) { return 0; };
  const Key key(PEM_read_bio_PrivateKey(pem, nullptr, no_phrase, nullptr));
  if (!key) return fail(Code::kConfig, fmt::format("{}.key holds no private key that can be read without a pass phrase: {}", name, openssl_reason()));
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    return fail(Code::kConfig, fmt::format("{}.key does not belong to {}.crt: {}", name, name, openssl_reason()));
  }
  return {};
}

SslContext make_context(const conf::Tls& settings, TlsContext* self) {
  SslContext context(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* const c = context.get();
  SSL_CTX_set_min_proto_version(c, settings.min_version == conf::TlsVersion::k13 ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(c, kTls12Ciphers);
  SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  // Buffers only while there is something in them: an idle connection is most of what a front holds.
  SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(c, 1);  // header and record with one read(2)
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);  // tickets instead: nothing to remember
  SSL_CTX_set_num_tickets(c, 1);
  std::string keys(ticket_keys());
  SSL_CTX_set_tlsext_ticket_keys(c, keys.data(), keys.size());
  const unsigned char id[] = "portherd";
  SSL_CTX_set_session_id_context(c, id, sizeof id - 1);
  SSL_CTX_set_alpn_select_cb(c, choose_alpn, nullptr);
  // SSL_CTX_set_tlsext_servername_callback() without its C cast.
  SSL_CTX_callback_ctrl(c, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB, reinterpret_cast<void (*)()>(&choose_certificate));
  SSL_CTX_set_tlsext_servername_arg(c, self);
  return context;
}

}  // namespace

struct TlsContext::Parts {
  std::map<std::string, SslContext> by_file;                  // the first is the default
  std::map<std::string, SSL_CTX*, std::less<>> by_name;       // "shop.example.com", "*.example.com"
};

TlsContext::TlsContext() : parts_(std::make_unique<Parts>()) {}

TlsContext::~TlsContext() = default;

Result<std::unique_ptr<TlsContext>> TlsContext::make(const conf::Tls& settings, std::vector<CertificateFiles> files) {
  if (files.empty()) return fail(Code::kConfig, "there is no certificate to answer https with");
  std::unique_ptr<TlsContext> made(new TlsContext);
  for (const CertificateFiles& file : files) {
    TRY(const std::string chain, read_pem(file.name + ".crt", file.certificate.get()));
    TRY(const std::string key, read_pem(file.name + ".key", file.key.get()));
    SslContext context = make_context(settings, made.get());
    TRY_VOID(set_chain(context.get(), file.name, bio_of(chain).get()));
    TRY_VOID(set_key(context.get(), file.name, bio_of(key).get()));
    for (const std::string& name : names_of(SSL_CTX_get0_certificate(context.get()))) {
      made->parts_->by_name.emplace(name, context.get());
    }
    made->parts_->by_file.emplace(file.name, std::move(context));
  }
  return made;
}

ssl_ctx_st* TlsContext::choose(std::string_view server_name) const {
  const auto& names = parts_->by_name;
  const std::string name = lower(server_name.substr(0, 255));
  if (const auto exact = names.find(name); exact != names.end()) return exact->second;
  if (const auto dot = name.find('.'); dot != std::string::npos) {
    if (const auto wild = names.find("*" + name.substr(dot)); wild != names.end()) return wild->second;
  }
  return parts_->by_file.begin()->second.get();
}

}  // namespace proxy
