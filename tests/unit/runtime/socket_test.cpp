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

TEST_CASE("an IPv6 client is its /64, an IPv4 one its address, and all Unix peers are one") {
  const auto v6 = [](unsigned char seventh, unsigned char ninth) {
    runtime::PeerAddress peer{.family = AF_INET6, .port = ninth};
    peer.bytes[0] = 0x20;
    peer.bytes[7] = seventh;
    peer.bytes[8] = ninth;
    return peer.key();
  };
  CHECK(v6(1, 1) == v6(1, 2));
  CHECK(v6(1, 1) != v6(2, 1));
  const auto v4 = [](unsigned char last) { return runtime::PeerAddress{.family = AF_INET, .bytes = {192, 0, 2, last}}.key(); };
  CHECK(v4(1) == v4(1));
  CHECK(v4(1) != v4(2));
  const auto local = [](unsigned char byte) { return runtime::PeerAddress{.family = AF_UNIX, .bytes = {byte}}.key(); };
  CHECK(local(1) == local(2));
  CHECK(local(0) != runtime::PeerAddress{.family = AF_INET}.key());
}
