#include "supervisor/local_certificate.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "runtime/fd.h"
#include "runtime/random.h"

namespace supervisor {
namespace {

using runtime::Code;
using runtime::fail;
using runtime::Fd;
using runtime::Result;

constexpr long kDay = 24 * 60 * 60;
// What clients accept at most of a leaf certificate (Apple's limit of 825 days holds for locally trusted ones
// too).
constexpr long kLifetime = 820 * kDay;

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* what) const {
    Free(what);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>>;
using Memory = std::unique_ptr<BIO, Freed<BIO_free_all>>;

bool add_extension(X509* certificate, int what, const char* value) {
  X509V3_CTX around;
  X509V3_set_ctx(&around, certificate, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &around, what, value));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool add_name(X509* certificate) {
  X509_NAME* name = X509_get_subject_name(certificate);
  static constexpr unsigned char kName[] = "localhost";
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, kName, -1, -1, 0) == 1 &&
         X509_set_issuer_name(certificate, name) == 1;
}

Certificate make_certificate(EVP_PKEY* key) {
  Certificate made(X509_new());
  X509* certificate = made.get();
  const bool is_made =
      made && X509_set_version(certificate, X509_VERSION_3) == 1 &&
      ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), runtime::random_bits() >> 1) == 1 &&
      X509_gmtime_adj(X509_getm_notBefore(certificate), -kDay) != nullptr &&
      X509_gmtime_adj(X509_getm_notAfter(certificate), kLifetime) != nullptr &&
      X509_set_pubkey(certificate, key) == 1 && add_name(certificate) &&
      add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
      add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
      add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
      add_extension(certificate, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1") &&
      X509_sign(certificate, key, EVP_sha256()) > 0;
  return is_made ? std::move(made) : nullptr;
}

std::string text_of(BIO* memory) {
  char* bytes = nullptr;
  const long length = BIO_get_mem_data(memory, &bytes);
  return {bytes, static_cast<std::size_t>(length)};
}

// Whole or not at all: another `run` may read it at this moment.
Result<void> write_file(const std::string& path, const std::string& text, mode_t mode) {
  const std::string draft = fmt::format("{}.{}", path, ::getpid());
  const Fd fd(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!fd || ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::rename(draft.c_str(), path.c_str()) != 0) {
    const int why = errno;
    ::unlink(draft.c_str());
    return fail(Code::kSystem, "cannot write " + path, why);
  }
  return {};
}

bool is_still_good(const std::string& crt, const std::string& key) {
  const Memory file(BIO_new_file(crt.c_str(), "r"));
  const Certificate certificate(file ? PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr) : nullptr);
  const Memory key_file(BIO_new_file(key.c_str(), "r"));
  const Key private_key(key_file ? PEM_read_bio_PrivateKey(key_file.get(), nullptr, nullptr, nullptr)
                                 : nullptr);
  if (!certificate || !private_key || X509_check_private_key(certificate.get(), private_key.get()) != 1)
    return false;
  std::time_t tomorrow = std::time(nullptr) + kDay;
  return X509_cmp_time(X509_get0_notAfter(certificate.get()), &tomorrow) > 0;
}

Result<void> make_both(const std::string& crt_path, const std::string& key_path) {
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate = key ? make_certificate(key.get()) : nullptr;
  const Memory key_text(BIO_new(BIO_s_mem())), crt_text(BIO_new(BIO_s_mem()));
  if (!certificate ||
      PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1 ||
      PEM_write_bio_X509(crt_text.get(), certificate.get()) != 1) {
    return fail(Code::kSystem, "OpenSSL cannot make a local certificate");
  }
  TRY_VOID(write_file(key_path, text_of(key_text.get()), 0600));
  return write_file(crt_path, text_of(crt_text.get()), 0644);
}

}  // namespace

Result<std::string> local_certificate_folder() {
  const char* data = std::getenv("XDG_DATA_HOME");
  if (data != nullptr && *data == '/') return fmt::format("{}/portherd/local", data);
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return fmt::format("{}/.local/share/portherd/local", home);
  return fail(Code::kConfig,
              "--tls needs HOME or XDG_DATA_HOME: that is where the local certificate is kept");
}

Result<void> ensure_local_certificate(const std::string& folder) {
  const std::string crt = folder + "/localhost.crt", key = folder + "/localhost.key";
  if (is_still_good(crt, key)) return {};
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return fail(Code::kSystem, "cannot make the folder " + folder, error.value());
  ::chmod(folder.c_str(), 0700);
  return make_both(crt, key);
}

}  // namespace supervisor
