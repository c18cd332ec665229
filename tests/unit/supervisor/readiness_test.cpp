#include "supervisor/readiness.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>

#include "doctest_precompiled.h"

using supervisor::Proof;
using supervisor::proof_for;

TEST_CASE("what counts as ready depends on what the app has") {
  conf::App wsgi;
  wsgi.wsgi = "a:b";
  CHECK(proof_for(wsgi) == Proof{.notify = true});
  conf::App asgi;
  asgi.asgi = "a:b";
  CHECK(proof_for(asgi) == Proof{.notify = true});
  wsgi.health.path = "/healthz";
  CHECK(proof_for(wsgi) == Proof{.probe = true, .probe_after = true, .path = "/healthz"});

  conf::App command;
  command.command = {"node"};
  CHECK(proof_for(command) == Proof{.notify = true, .probe = true});
  command.health.path = "/healthz";
  CHECK(proof_for(command) == Proof{.probe = true, .path = "/healthz"});

  conf::App proxy;
  proxy.proxy.push_back(*conf::parse_address("unix:/run/x.sock"));
  CHECK(proof_for(proxy) == Proof{});
}

TEST_CASE("a service is ready when it says so or has run for a second, and nobody asks it") {
  CHECK(supervisor::proof_for_service() == Proof{.notify = true, .runs_for = std::chrono::seconds(1)});
}

TEST_CASE("READY=1 is a line of its own") {
  CHECK(supervisor::says_ready("READY=1"));
  CHECK(supervisor::says_ready("STATUS=up\nREADY=1\n"));
  CHECK_FALSE(supervisor::says_ready("READY=10"));
  CHECK_FALSE(supervisor::says_ready("NOTREADY=1"));
  CHECK_FALSE(supervisor::says_ready(""));
}

TEST_CASE("a datagram on the notify socket is heard, and the socket goes with its owner") {
  std::string folder = "/tmp/portherd-notify-XXXXXX";
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  const std::string path = folder + "/n";
  runtime::Loop loop;
  struct Ear {
    int heard = 0;
    void on_ready() { ++heard; }
  } ear;
  auto bound = supervisor::NotifySocket::bind(path);
  REQUIRE(bound.has_value());
  {
    const supervisor::NotifySocket socket(loop, std::move(*bound), path, runtime::bind<&Ear::on_ready>(&ear));
    const runtime::Fd worker(::socket(AF_UNIX, SOCK_DGRAM, 0));
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    path.copy(to.sun_path, sizeof to.sun_path - 1);
    for (const std::string_view text : {"STATUS=booting", "READY=1"}) {
      REQUIRE(::sendto(worker.get(), text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&to),
                       sizeof to) > 0);
    }
    loop.turn();
    CHECK(ear.heard == 0);
    loop.turn();
    CHECK(ear.heard == 1);
  }
  CHECK(::access(path.c_str(), F_OK) != 0);
  ::rmdir(folder.c_str());
}
