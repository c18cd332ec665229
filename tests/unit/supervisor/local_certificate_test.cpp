#include "supervisor/local_certificate.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "conf/certificates.h"
#include "doctest_precompiled.h"

namespace {

std::string contents(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("a local certificate is made once, is kept, and its key is nobody else's") {
  std::string top = "/tmp/portherd-local-XXXXXX";
  REQUIRE(::mkdtemp(top.data()) != nullptr);
  const std::string folder = top + "/portherd/local";
  REQUIRE(supervisor::ensure_local_certificate(folder).has_value());
  const std::string first = contents(folder + "/localhost.crt");
  CHECK(first.starts_with("-----BEGIN CERTIFICATE-----\n"));
  CHECK(contents(folder + "/localhost.key").starts_with("-----BEGIN PRIVATE KEY-----\n"));
  struct stat about{};
  REQUIRE(::stat((folder + "/localhost.key").c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0600);
  CHECK(conf::look_for_certificates(folder).names == std::vector<std::string>{"localhost"});

  REQUIRE(supervisor::ensure_local_certificate(folder).has_value());
  CHECK(contents(folder + "/localhost.crt") == first);

  std::ofstream(folder + "/localhost.crt") << "nonsense";
  REQUIRE(supervisor::ensure_local_certificate(folder).has_value());
  CHECK(contents(folder + "/localhost.crt").starts_with("-----BEGIN CERTIFICATE-----\n"));
  CHECK(contents(folder + "/localhost.crt") != first);
  std::filesystem::remove_all(top);
}

TEST_CASE("it is kept where the user's data is") {
  const char* xdg = ::getenv("XDG_DATA_HOME");
  const std::string before = xdg == nullptr ? "" : xdg;
  ::setenv("XDG_DATA_HOME", "/data", 1);
  CHECK(supervisor::local_certificate_folder().value() == "/data/portherd/local");
  ::unsetenv("XDG_DATA_HOME");
  const char* home = ::getenv("HOME");
  if (home != nullptr)
    CHECK(supervisor::local_certificate_folder().value() ==
          std::string(home) + "/.local/share/portherd/local");
  if (xdg != nullptr) ::setenv("XDG_DATA_HOME", before.c_str(), 1);
}
