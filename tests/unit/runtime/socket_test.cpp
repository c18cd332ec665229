#include "runtime/socket.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "doctest_precompiled.h"

namespace {

struct Folder {
  Folder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~Folder() {
    ::unlink(socket().c_str());
    ::rmdir(path.c_str());
  }
  std::string socket() const { return path + "/x.sock"; }
  std::string path = "/tmp/portherd-socket-XXXXXX";
};

}  // namespace

TEST_CASE("a socket file that somebody dead left is replaced") {
  const Folder folder;
  { const auto dead = runtime::listen_unix(folder.socket(), 0600); }
  CHECK(::access(folder.socket().c_str(), F_OK) == 0);
  CHECK(runtime::listen_unix(folder.socket(), 0600).has_value());
}

TEST_CASE("a socket that lives is in use, also when it does not let us in") {
  const Folder folder;
  // It refuses a stream with EPROTOTYPE, as one that we may not use does with EACCES: neither is dead.
  const auto living = runtime::bind_unix_datagram(folder.socket(), 0600);
  REQUIRE(living.has_value());
  struct stat before {
  }, after{};
  REQUIRE(::stat(folder.socket().c_str(), &before) == 0);
  const auto second = runtime::listen_unix(folder.socket(), 0600);
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().number == EADDRINUSE);
  REQUIRE(::stat(folder.socket().c_str(), &after) == 0);
  CHECK(before.st_ino == after.st_ino);
}

TEST_CASE("a socket file has the mode that was asked for, whatever the umask is, and the umask stays") {
  const Folder folder;
  const mode_t before = ::umask(077);
  const auto listening = runtime::listen_unix(folder.socket(), 0660);
  CHECK(::umask(before) == 077);
  REQUIRE(listening.has_value());
  struct stat about {};
  REQUIRE(::stat(folder.socket().c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0660);
}
