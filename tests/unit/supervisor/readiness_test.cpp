#include "supervisor/readiness.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <memory>

#include "doctest_precompiled.h"

using supervisor::Proof;
using supervisor::proof_for;

TEST_CASE("what counts as ready depends on what the app has") {
  conf::App wsgi;
  wsgi.wsgi = "a:b";
  CHECK(proof_for(wsgi) == Proof{.notify = true});
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
  using namespace std::string_view_literals;
  for (const std::string_view word : {"READY=1"sv, "READY=1\n"sv, "READY=1\0"sv, "STATUS=up\nREADY=1"sv, "READY=1\nSTATUS=up\n"sv,
                                      "MAINPID=7\nREADY=1\nWATCHDOG=1\n"sv, "READY=1\nREADY=1"sv}) {
    CAPTURE(word);
    CHECK(supervisor::says_ready(word));
  }
  for (const std::string_view word : {""sv, "\n"sv, "\0"sv, "READY=0"sv, "READY=10"sv, "READY=1 "sv, " READY=1"sv, "ready=1"sv,
                                      "READY"sv, "NOTREADY=1"sv, "STATUS=READY=1"sv, "STOPPING=1"sv, "RELOADING=1\nMONOTONIC_USEC=1"sv,
                                      "READY=1\0\n"sv}) {
    CAPTURE(word);
    CHECK_FALSE(supervisor::says_ready(word));
  }
}

namespace {

/// A notify socket in a folder of its own, and somebody who speaks to it.
struct Stage {
  Stage() {
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    path = folder + "/n";
    auto bound = supervisor::NotifySocket::bind(path);
    REQUIRE(bound.has_value());
    socket = std::make_unique<supervisor::NotifySocket>(loop, std::move(*bound), path, runtime::bind<&Stage::on_ready>(this));
    path.copy(to.sun_path, sizeof to.sun_path - 1);
  }
  ~Stage() {
    socket.reset();
    ::rmdir(folder.c_str());
  }

  void say(std::string_view text, int descriptor = -1) {
    iovec bytes{const_cast<char*>(text.data()), text.size()};
    msghdr message{.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &bytes, .msg_iovlen = 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof descriptor)] = {};
    if (descriptor >= 0) {
      message.msg_control = control;
      message.msg_controllen = sizeof control;
      cmsghdr* const attached = CMSG_FIRSTHDR(&message);
      attached->cmsg_level = SOL_SOCKET;
      attached->cmsg_type = SCM_RIGHTS;
      attached->cmsg_len = CMSG_LEN(sizeof descriptor);
      std::memcpy(CMSG_DATA(attached), &descriptor, sizeof descriptor);
    }
    REQUIRE(::sendmsg(worker.get(), &message, 0) == static_cast<ssize_t>(text.size()));
    loop.turn();
  }
  void on_ready() { ++heard; }

  std::string folder = "/tmp/portherd-notify-XXXXXX", path;
  runtime::Loop loop;
  std::unique_ptr<supervisor::NotifySocket> socket;
  runtime::Fd worker{::socket(AF_UNIX, SOCK_DGRAM, 0)};
  sockaddr_un to{.sun_family = AF_UNIX, .sun_path = {}};
  int heard = 0;
};

}  // namespace

TEST_CASE("each datagram is heard by itself, and the socket goes with its owner") {
  Stage stage;
  stage.say("STATUS=booting");
  CHECK(stage.heard == 0);
  stage.say("READY=");
  stage.say("1");
  CHECK(stage.heard == 0);
  stage.say("READY=1");
  CHECK(stage.heard == 1);
  stage.say("");
  stage.say("STOPPING=1");
  stage.say("READY=1\n");
  CHECK(stage.heard == 2);
  stage.socket.reset();
  CHECK(::access(stage.path.c_str(), F_OK) != 0);
}

TEST_CASE("a datagram that does not fit says nothing, whatever it begins with") {
  Stage stage;
  std::string text = "READY=1\nSTATUS=";
  text.append(supervisor::kMostNotified - text.size(), 'x');
  stage.say(text + 'x');
  CHECK(stage.heard == 0);
  stage.say(text);
  CHECK(stage.heard == 1);
}

TEST_CASE("descriptors that come with a datagram are closed, and the word counts") {
  Stage stage;
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const runtime::Fd reading(ends[0]);
  runtime::Fd writing(ends[1]);
  stage.say("READY=1", writing.get());
  CHECK(stage.heard == 1);
  writing.reset();
  char byte;
  CHECK(::read(reading.get(), &byte, 1) == 0);  // nobody else has the other end
}

TEST_CASE("nobody but the worker's user may say anything") {
  const Stage stage;
  struct stat about{};
  REQUIRE(::stat(stage.path.c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0600);
}
