#include "supervisor/control.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

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
  CHECK(may_command({.uid = 0}, 1000, std::nullopt));
  CHECK(may_command({.uid = 1000}, 1000, std::nullopt));
  CHECK_FALSE(may_command({.uid = 1001, .gid = 0, .groups = {0, 27}}, 1000, std::nullopt));
  CHECK(may_command({.uid = 1001, .gid = 50}, 1000, gid_t{50}));
  CHECK(may_command({.uid = 1001, .gid = 1, .groups = {2, 50}}, 1000, gid_t{50}));
  CHECK_FALSE(may_command({.uid = 1001, .gid = 1, .groups = {2, 51}}, 1000, gid_t{50}));
}

TEST_CASE("an order is answered with one line, and a refusal is an error") {
  const Folder folder;
  const std::string path = folder.path + "/c.sock";
  runtime::Loop loop;
  auto control = Control::open(loop, path, "", [](std::string_view verb) {
    if (verb == "status") return Control::Answer{R"({"version":"x"})"};
    return Control::Answer{R"({"ok":false,"code":"verb","sentence":"no such order"})"};
  });
  REQUIRE(control.has_value());
  struct stat about{};
  REQUIRE(::stat(path.c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0600);

  std::optional<runtime::Result<Reply>> good, bad;
  std::thread asker([&] {
    good = ask(path, "status");
    bad = ask(path, "dance");
    loop.stop();
  });
  loop.run();
  asker.join();
  REQUIRE(good->has_value());
  CHECK((*good)->text == "{\"version\":\"x\"}\n");
  CHECK((*good)->pid == ::getpid());
  REQUIRE_FALSE(bad->has_value());
  CHECK(bad->error().sentence == "no such order");
}

TEST_CASE("a caller that waits for the end hears it when the supervisor lets go") {
  const Folder folder;
  const std::string path = folder.path + "/c.sock";
  runtime::Loop loop;
  auto control = Control::open(loop, path, "", [](std::string_view) { return Control::Answer{"{}", true}; });
  REQUIRE(control.has_value());
  std::size_t after_answer = 1;
  std::thread asker([&] {
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
  asker.join();
  CHECK(after_answer == 0);
  CHECK(::access(path.c_str(), F_OK) != 0);
}

TEST_CASE("a second supervisor at the same control socket is told who runs") {
  const Folder folder;
  const std::string path = folder.path + "/c.sock";
  runtime::Loop loop;
  const auto answer = [](std::string_view) { return Control::Answer{"{}"}; };
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
  auto control = Control::open(loop, path, "", [&](std::string_view verb) {
    heard = verb;
    return Control::Answer{"{}"};
  });
  REQUIRE(control.has_value());
  std::string after_flood = "?", after_nonsense = "?";
  std::thread asker([&] {
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
  asker.join();
  CHECK(after_flood.empty());
  CHECK(after_nonsense == "{}\n");
  CHECK(heard.empty());
}
