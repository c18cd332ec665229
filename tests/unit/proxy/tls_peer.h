// For the tests of TLS: certificates made on the spot, and a client that shakes hands with a TlsStream over a
// socket pair.
#pragma once
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/tls_context.h"
#include "proxy/tls_stream.h"

namespace tls_peer {

inline runtime::Fd file_of(std::string_view text) {
  runtime::Fd fd(::memfd_create("pem", MFD_CLOEXEC));
  if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) std::abort();
  return fd;
}

inline std::string text_of(BIO* bio) {
  std::string text(BIO_pending(bio), '\0');
  BIO_read(bio, text.data(), static_cast<int>(text.size()));
  BIO_free(bio);
  return text;
}

/// A key of its own and a certificate signed with it, as PEM.
struct Pair {
  std::string certificate, key;
};

struct Wanted {
  std::string common_name;
  std::string alternative;  ///< "DNS:a.example,DNS:*.b.example", or none
  long seconds_left = 3600;
};

inline Pair make_pair(const Wanted& wanted) {
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  X509* const x509 = X509_new();
  X509_set_version(x509, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
  X509_gmtime_adj(X509_getm_notBefore(x509), -7200);
  X509_gmtime_adj(X509_getm_notAfter(x509), wanted.seconds_left);
  X509_set_pubkey(x509, key);
  X509_NAME* const subject = X509_get_subject_name(x509);
  X509_NAME_add_entry_by_txt(
      subject, "CN", MBSTRING_UTF8,
      static_cast<const unsigned char*>(static_cast<const void*>(wanted.common_name.c_str())), -1, -1, 0);
  X509_set_issuer_name(x509, subject);
  if (!wanted.alternative.empty()) {
    X509_EXTENSION* const names =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, wanted.alternative.c_str());
    X509_add_ext(x509, names, -1);
    X509_EXTENSION_free(names);
  }
  X509_sign(x509, key, EVP_sha256());
  Pair pair;
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, x509);
  pair.certificate = text_of(bio);
  bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  pair.key = text_of(bio);
  X509_free(x509);
  EVP_PKEY_free(key);
  return pair;
}

inline proxy::CertificateFiles files(const std::string& name, const Pair& pair) {
  return {name, file_of(pair.certificate), file_of(pair.key)};
}

template <class... Files>
std::vector<proxy::CertificateFiles> all(Files... one) {
  std::vector<proxy::CertificateFiles> made;
  (made.push_back(std::move(one)), ...);
  return made;
}

struct Sockets {
  Sockets() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
    ours = runtime::Fd(ends[0]);
    theirs = runtime::Fd(ends[1]);
  }
  runtime::Fd ours, theirs;
};

/// A client's end. One that does not ask who we are.
class Client {
 public:
  explicit Client(int fd) : context_(SSL_CTX_new(TLS_client_method())), ssl_(SSL_new(context_)) {
    SSL_set_fd(ssl_, fd);
  }
  ~Client() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  SSL* get() { return ssl_; }
  void ask_for(const char* name) {
    SSL_ctrl(ssl_, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(name));
  }
  /// In the form of the wire: "\x02h2".
  void offer(std::string_view protocols) {
    SSL_set_alpn_protos(ssl_, static_cast<const unsigned char*>(static_cast<const void*>(protocols.data())),
                        static_cast<unsigned>(protocols.size()));
  }
  /// Moves on as far as it can now. True: done.
  bool connect() { return SSL_connect(ssl_) == 1; }
  std::string read() {
    std::string text(65536, '\0');
    const int n = SSL_read(ssl_, text.data(), static_cast<int>(text.size()));
    text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return text;
  }
  int write(std::string_view text) { return SSL_write(ssl_, text.data(), static_cast<int>(text.size())); }
  std::string certificate_name() {
    X509* const x509 = SSL_get1_peer_certificate(ssl_);
    char name[256] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(x509), NID_commonName, name, sizeof name);
    X509_free(x509);
    return name;
  }

 private:
  SSL_CTX* context_;
  SSL* ssl_;
};

/// Both sides in turns, until ours is done or has failed.
inline runtime::Io shake_hands(Client& client, proxy::TlsStream& stream) {
  constexpr int kMostTurns = 20;
  for (int i = 0; i < kMostTurns; ++i) {
    client.connect();
    if (const runtime::Io io = stream.handshake(); io != runtime::Io::kWant) {
      client.connect();
      return io;
    }
  }
  return runtime::Io::kWant;
}

}  // namespace tls_peer
