#include "supervisor/control.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "doctest_precompiled.h"
#include "runtime/socket.h"
#include "supervisor/control_client.h"

using namespace supervisor;

namespace {

struct Folder {
  Folder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~Folder() { ::rmdir(path.c_str()); }
  std::string path = "/tmp/portherd-control-XXXXXX";
};

}  // namespace

TEST_CASE("root, the supervisor's own user and members of the group may give orders") {
  const Caller own{.uid = 1000, .gid = 1000, .groups = {}};
  CHECK(right_of({.uid = 0}, own, std::nullopt) == Right::kCommand);
  CHECK(right_of({.uid = 1000}, own, std::nullopt) == Right::kCommand);
  CHECK(right_of({.uid = 1001, .gid = 0, .groups = {0, 27}}, own, std::nullopt) == Right::kNothing);
  CHECK(right_of({.uid = 1001, .gid = 50}, own, gid_t{50}) == Right::kCommand);
  CHECK(right_of({.uid = 1001, .gid = 1, .groups = {2, 50}}, own, gid_t{50}) == Right::kCommand);
  CHECK(right_of({.uid = 1001, .gid = 1, .groups = {2, 51}}, own, gid_t{50}) == Right::kNothing);
}

TEST_CASE("a front may do nothing, whoever it is") {
  const Caller own{.uid = 1000, .gid = 1000, .groups = {}};
  CHECK(right_of({.uid = 1000, .gid = 1000, .groups = {}, .is_front = true}, own, std::nullopt) == Right::kNothing);
  CHECK(right_of({.uid = 0, .gid = 50, .groups = {}, .is_front = true}, own, gid_t{50}) == Right::kNothing);

  const Folder folder;
  const std::string path = folder.path + "/c.sock";
  runtime::Loop loop;
  std::vector<Right> rights;
  auto control = Control::open(loop, path, "", [&](std::string_view, Right right, const Asker& asker) {
    rights.push_back(right);
    asker.done();
  });
  REQUIRE(control);
  for (const bool is_front : {true, false}) {
    (*control)->fronts_are([is_front](pid_t pid) { return is_front && pid == ::getpid(); });
    const auto caller = runtime::connect_unix(path);
    REQUIRE(caller);
    REQUIRE(::send(caller.get(), "{}\n", 3, MSG_NOSIGNAL) == 3);
    for (const std::size_t before = rights.size(); rights.size() == before;) loop.turn();
  }
  CHECK(rights == std::vector{Right::kNothing, Right::kCommand});
}

TEST_CASE("the supervisor's own group may look, unless another one is set") {
  const Caller own{.uid = 1000, .gid = 1000, .groups = {}};
  CHECK(right_of({.uid = 1001, .gid = 1, .groups = {1000}}, own, std::nullopt) == Right::kLook);
  CHECK(right_of({.uid = 1001, .gid = 1000, .groups = {}}, own, std::nullopt) == Right::kLook);
  CHECK(right_of({.uid = 1001, .gid = 1000, .groups = {}}, own, gid_t{50}) == Right::kNothing);
}

TEST_CASE("an order is answered with its progress and a result, and a refusal is an error") {
  const Folder folder;
  const std::string path = folder.path + "/c.sock";
  runtime::Loop loop;
  std::string heard;
  auto control = Control::open(loop, path, "", [&](std::string_view order, Right right, const Asker& asker) {
    heard = order;
    if (order.find("dance") != std::string::npos) {
      asker.say("not yet");
      return asker.refuse({runtime::Code::kConfig, "no such order"});
    }
    asker.say("one");
    asker.say("two");
    asker.done({{"version", "x"}, {"may_command", right == Right::kCommand}});
    asker.done();  // too late
  });
  REQUIRE(control.has_value());
  struct stat about{};
  REQUIRE(::stat(path.c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0660);

  std::string progress;
  std::optional<runtime::Result<Reply>> good, bad;
  std::thread asking([&] {
    good = ask(path, {.order = R"({"verb":"status"})", .on_progress = [&](std::string_view line) { progress += line; }});
    bad = ask(path, "dance");
    loop.stop();
  });
  loop.run();
  asking.join();
  REQUIRE(good->has_value());
  CHECK(progress == R"({"say":"one"}{"say":"two"})");
  CHECK((*good)->text == R"({"version":"x","may_command":true})");
  CHECK((*good)->pid == ::getpid());
  REQUIRE_FALSE(bad->has_value());
  CHECK(heard == R"({"verb":"dance"})");
  CHECK(bad->error().sentence == "no such order");
  CHECK(bad->error().code == runtime::Code::kConfig);
}

TEST_CASE("an order is answered when its result is known, however many turns later") {
  const Folder folder;
  const std::string path = folder.path + "/c.sock";
  runtime::Loop loop;
  Asker kept;
  auto control =
      Control::open(loop, path, "", [&](std::string_view, Right, const Asker& asker) { kept = asker; });
  REQUIRE(control.has_value());
  std::optional<runtime::Result<Reply>> reply;
  std::thread asking([&] {
    reply = ask(path, "restart");
    loop.stop();
  });
  while (!kept.is_there()) loop.turn();
  kept.say("half of it");
  loop.turn(/*wait=*/false);
  kept.done();
  loop.run();
  asking.join();
  CHECK(reply->has_value());
  CHECK_FALSE(kept.is_there());
}

TEST_CASE("who has left hears nothing, and nobody minds") {
  const Folder folder;
  const std::string path = folder.path + "/c.sock";
  runtime::Loop loop;
  Asker kept;
  auto control =
      Control::open(loop, path, "", [&](std::string_view, Right, const Asker& asker) { kept = asker; });
  REQUIRE(control.has_value());
  {
    const runtime::Fd fd = runtime::connect_unix(path);
    REQUIRE(::send(fd.get(), "{}\n", 3, MSG_NOSIGNAL) == 3);
    while (!kept.is_there()) loop.turn();
  }
  while (kept.is_there()) loop.turn();
  kept.say("anybody?");
  kept.offer({{"line", "anybody?"}});
  kept.done();
}

TEST_CASE("who does not read is cut when too much waits for him") {
  const Folder folder;
  const std::string path = folder.path + "/c.sock";
  runtime::Loop loop;
  Asker kept;
  auto control =
      Control::open(loop, path, "", [&](std::string_view, Right, const Asker& asker) { kept = asker; });
  REQUIRE(control.has_value());
  const runtime::Fd fd = runtime::connect_unix(path);
  REQUIRE(::send(fd.get(), "{}\n", 3, MSG_NOSIGNAL) == 3);
  while (!kept.is_there()) loop.turn();
  const std::string line(1000, 'x');
  int said = 0;
  for (; kept.is_there() && said < 100'000; ++said) {
    kept.say(line);
    loop.turn(/*wait=*/false);
  }
  CHECK(said > 1000);
  CHECK(said < 10'000);
}

TEST_CASE("of what is only offered, lines are lost and counted when they are not read") {
  const Folder folder;
  const std::string path = folder.path + "/c.sock";
  runtime::Loop loop;
  Asker kept;
  auto control =
      Control::open(loop, path, "", [&](std::string_view, Right, const Asker& asker) { kept = asker; });
  REQUIRE(control.has_value());
  const runtime::Fd fd = runtime::connect_unix(path);
  REQUIRE(::send(fd.get(), "{}\n", 3, MSG_NOSIGNAL) == 3);
  while (!kept.is_there()) loop.turn();
  constexpr int kOffered = 10'000;
  for (int i = 0; i < kOffered; ++i) kept.offer({{"line", std::string(100, 'x')}});
  CHECK(kept.is_there());
  std::string text;
  while (text.find("dropped") == std::string::npos || !text.ends_with('\n')) {
    char buffer[65536];
    const auto n = ::recv(fd.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    REQUIRE(n != 0);
    if (n > 0) text.append(buffer, static_cast<std::size_t>(n));
    loop.turn(/*wait=*/false);
  }
  const auto lines = std::count(text.begin(), text.end(), '\n') - 1;
  CHECK(lines < kOffered);
  CHECK(text.ends_with("{\"dropped\":" + std::to_string(kOffered - lines) + "}\n"));
}

TEST_CASE("a caller that waits for the end hears it when the supervisor lets go") {
  const Folder folder;
  const std::string path = folder.path + "/c.sock";
  runtime::Loop loop;
  auto control = Control::open(loop, path, "", [](std::string_view, Right, const Asker& asker) {
    asker.done_and_wait_for_our_end();
  });
  REQUIRE(control.has_value());
  std::size_t after_answer = 1;
  std::thread asking([&] {
    const auto reply = ask(path, "stop");
    loop.stop();
    char byte = 0;
    after_answer = reply ? static_cast<std::size_t>(::read(reply->connection.get(), &byte, 1)) : 1;
    while (reply && after_answer != 0 && errno == EAGAIN) {
      after_answer = static_cast<std::size_t>(::read(reply->connection.get(), &byte, 1));
    }
  });
  loop.run();
  control->reset();
  asking.join();
  CHECK(after_answer == 0);
  CHECK(::access(path.c_str(), F_OK) != 0);
}

TEST_CASE("a second supervisor at the same control socket is told who runs") {
  const Folder folder;
  const std::string path = folder.path + "/c.sock";
  runtime::Loop loop;
  const auto answer = [](std::string_view, Right, const Asker&) {};
  const auto first = Control::open(loop, path, "", answer);
  REQUIRE(first.has_value());
  const auto second = Control::open(loop, path, "", answer);
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().sentence == "already running (pid " + std::to_string(::getpid()) + ") at " + path);
}

TEST_CASE("where nobody answers, nothing runs") {
  const auto reply = ask("/tmp/no-such-folder/c.sock", "status");
  REQUIRE_FALSE(reply.has_value());
  CHECK(reply.error().code == runtime::Code::kNotRunning);
}

TEST_CASE("a caller that says too much, or nothing of an order, harms nobody") {
  const Folder folder;
  const std::string path = folder.path + "/c.sock";
  runtime::Loop loop;
  std::string heard = "nothing";
  auto control = Control::open(loop, path, "", [&](std::string_view order, Right, const Asker& asker) {
    heard = order;
    asker.done();
  });
  REQUIRE(control.has_value());
  std::string after_flood = "?", after_nonsense = "?";
  std::thread asking([&] {
    const auto talk = [&](const std::string& text) {
      const runtime::Fd fd = runtime::connect_unix(path);
      ::fcntl(fd.get(), F_SETFL, 0);
      [[maybe_unused]] const auto n = ::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL);
      std::string answer;
      char byte = 0;
      while (::read(fd.get(), &byte, 1) > 0) answer += byte;
      return answer;
    };
    after_flood = talk(std::string(100'000, 'x'));
    after_nonsense = talk("[1,2]\n");
    loop.stop();
  });
  loop.run();
  asking.join();
  CHECK(after_flood.empty());
  CHECK(after_nonsense == "{\"ok\":true}\n");
  CHECK(heard == "[1,2]");
}

TEST_CASE("a caller too many is told so, and there is room again when another one leaves") {
  const Folder folder;
  const std::string path = folder.path + "/c.sock";
  runtime::Loop loop;
  auto control = Control::open(loop, path, "", [](std::string_view, Right, const Asker& asker) { asker.done(); });
  REQUIRE(control.has_value());
  std::optional<runtime::Result<Reply>> refused, served;
  std::thread asking([&] {
    std::vector<runtime::Fd> callers;
    for (std::size_t i = 0; i < Control::kMostCallers; ++i) callers.push_back(runtime::connect_unix(path));
    refused = ask(path, "status");
    callers.clear();
    do served = ask(path, "status");
    while (!served->has_value() && served->error().sentence == refused->error().sentence);
    loop.stop();
  });
  loop.run();
  asking.join();
  REQUIRE_FALSE(refused->has_value());
  CHECK(refused->error().code == runtime::Code::kSystem);
  CHECK(refused->error().sentence.starts_with("the control socket has 64 callers already"));
  CHECK(served->has_value());
}
