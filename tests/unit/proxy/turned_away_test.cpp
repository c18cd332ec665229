// What the log says of connections that were closed before they could say a word.
#include "proxy/turned_away.h"

#include <sys/mman.h>
#include <unistd.h>

#include "doctest_precompiled.h"
#include "runtime/log.h"

TEST_CASE("a flood of connections that are turned away is one line") {
  const int file = ::memfd_create("log", MFD_CLOEXEC);
  runtime::log_to(runtime::Fd(::dup(file)));
  runtime::Loop loop;
  proxy::TurnedAway turned_away(loop);
  runtime::PeerAddress peer{.family = AF_INET};
  peer.bytes[0] = 192;
  for (int i = 0; i < 1000; ++i) turned_away.add(peer, "it is a test");  // all in one turn
  runtime::log_to(runtime::Fd(::dup(STDERR_FILENO)));
  char text[4096];
  const std::string said(text,
                         static_cast<std::size_t>(std::max<ssize_t>(0, ::pread(file, text, sizeof text, 0))));
  ::close(file);
  CHECK(std::ranges::count(said, '\n') == 1);
  CHECK(said.find("peer=192.0.0.0 cause=\"it is a test\" connections=1\n") != std::string::npos);
}
