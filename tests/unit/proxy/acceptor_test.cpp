// What becomes of those who are connected to an address and not yet accepted when it is closed.
#include "proxy/acceptor.h"

#include <unistd.h>

#include "doctest_precompiled.h"
#include "proxy/access_log.h"
#include "proxy/front_thread.h"
#include "runtime/socket.h"

TEST_CASE("who is connected when an address is closed is taken, and nobody after that") {
  const std::string path = "/tmp/portherd-acceptor-" + std::to_string(::getpid());
  const auto board = std::move(*upstream::Scoreboard::make());
  const auto snapshot = std::make_shared<const proxy::Snapshot>(conf::Settings(), std::vector<upstream::AppIndex>());
  const proxy::Site site(*snapshot, *board);
  proxy::AccessLog log;
  proxy::FrontThread thread(0, site, snapshot, log, 100);
  proxy::ThreadPart opens{.snapshot = snapshot, .max_clients = 100};
  opens.sockets.push_back({std::move(*runtime::listen_unix(path, 0600)), "here", 0, {}});
  thread.go_over(std::move(opens));
  const runtime::Fd first = runtime::connect_unix(path), second = runtime::connect_unix(path);
  REQUIRE(first);
  REQUIRE(second);
  CHECK(thread.clients().size() == 0);
  thread.go_over({.snapshot = snapshot, .max_clients = 100, .closings = {"elsewhere", "here"}});
  CHECK(thread.clients().size() == 2);
  CHECK_FALSE(runtime::connect_unix(path));
  ::unlink(path.c_str());
  site.close_disks();
}
