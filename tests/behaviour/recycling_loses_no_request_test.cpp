#include <set>

#include "load.h"
#include "play.h"

namespace {

constexpr const char* kHello = R"(
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "6")])
    return [b"hello\n"]
)";

std::size_t replaced(const play::Supervisor& portherd, const std::string& cause) {
  std::size_t count = 0;
  for (const std::string& line : portherd.lines_with("a worker is being replaced"))
    count += line.ends_with("cause=" + cause) ? 1 : 0;
  return count;
}

// The order of the lines in which a worker takes over: at no time are two places of the app being renewed.
void check_one_at_a_time(const play::Supervisor& portherd) {
  int most = 0, now = 0;
  std::set<std::string> leaving;  // pids
  const auto pid_in = [](const std::string& line) {
    const auto at = line.find(" pid=");
    return line.substr(at + 5, line.find(' ', at + 5) - at - 5);
  };
  for (const std::string& line : portherd.lines_with("worker ")) {
    if (line.find("a worker is being replaced") != std::string::npos) {
      leaving.insert(pid_in(line));
      most = std::max(most, ++now);
    } else if (line.find("worker has ended") != std::string::npos && leaving.erase(pid_in(line)) == 1) {
      --now;
    }
  }
  CHECK(most == 1);
}

}  // namespace

TEST_CASE("workers that have had max_requests are replaced one at a time, and no request fails") {
  const play::Folder folder;
  folder.write("hello.py", kHello);
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[log]
access = "off"
[apps.hello]
wsgi = "hello:app"
python = "$PYTHON"
workers = 4
max_requests = 50
max_requests_jitter = 10
)");
  portherd.wait_ready();
  const std::uint64_t count = play::scaled(20'000);
  const std::string url = "http://127.0.0.1:" + std::to_string(portherd.port()) + "/";
  for (const play::Arguments& kind : {play::Arguments{"--h1", "-c", "8"}, play::Arguments{"-c", "2", "-m", "4"}}) {
    play::Arguments arguments = {"h2load", "-n", std::to_string(count / 2), url};
    arguments.insert(arguments.end() - 1, kind.begin(), kind.end());
    const play::Load load = play::to_load(play::run(arguments));
    CHECK(load.answered_2xx == count / 2);
    CHECK(load.failed == 0);
  }
  portherd.wait_until("a worker of each place has been replaced", [&](const play::Status&) {
    return replaced(portherd, "max_requests") >= 4;
  });
  MESSAGE("replaced " << replaced(portherd, "max_requests") << " workers in " << count << " requests");
  const play::Status after = portherd.wait_ready();
  CHECK(after.app("hello").workers.size() == 4);
  CHECK(after.app("hello").failed == 0);
  CHECK(portherd.lines_with("unexpectedly").empty());
  check_one_at_a_time(portherd);
}

TEST_CASE("a worker that leaks is replaced when it holds more than max_memory, and no request fails") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[log]
access = "off"
[apps.app]
command = ["$PYTHON", "$APPS/leaks.py"]
max_memory = "64MiB"
)");
  const pid_t first = portherd.wait_ready().app("app").workers.at(0).pid;
  // Just enough for the first one to be above it.
  for (int i = 0; i < 10; ++i) CHECK(play::get(portherd.port()).status == 200);
  const play::Status after = portherd.wait_until("another has its place", [&](const play::Status& now) {
    return now.all_ready() && now.app("app").workers.at(0).pid != first;
  });
  CHECK(play::get(portherd.port()).status == 200);
  CHECK(after.app("app").failed == 0);
  CHECK(replaced(portherd, "max_memory") == 1);
}

TEST_CASE("an app that is larger than max_memory at once is told so, once, and serves") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
command = ["$PYTHON", "$APPS/leaks.py"]
max_memory = "1MiB"
)");
  const pid_t first = portherd.wait_ready().app("app").workers.at(0).pid;
  const auto is_another = [&portherd](pid_t before) {
    return portherd.wait_until("another has its place", [before](const play::Status& now) {
      return now.all_ready() && now.app("app").workers.at(0).pid != before;
    });
  };
  is_another(is_another(first).app("app").workers.at(0).pid);
  CHECK(portherd.lines_with("larger than max_memory as soon as it is ready").size() == 1);
  CHECK(play::get(portherd.port()).status == 200);
}

TEST_CASE("a worker is replaced when it is as old as max_age, and no request fails") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[log]
access = "off"
[apps.app]
command = ["$PYTHON", "$APPS/who.py"]
workers = 2
max_age = "2s"
)");
  portherd.wait_ready();
  play::Clients clients(portherd, 4);
  portherd.wait_until("some have been replaced",
                      [&](const play::Status&) { return replaced(portherd, "max_age") >= 3; });
  clients.stop();
  CHECK(clients.served > 0);
  CHECK(clients.failed == 0);
  CHECK(portherd.lines_with("unexpectedly").empty());
  check_one_at_a_time(portherd);
}

TEST_CASE("a new front goes on counting where the one before has ended") {
  const play::Folder folder;
  folder.write("hello.py", kHello);
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[log]
access = "off"
[apps.hello]
wsgi = "hello:app"
python = "$PYTHON"
max_requests = 50
)");
  const play::Status before = portherd.wait_ready();
  for (int i = 0; i < 40; ++i) REQUIRE(play::get(portherd.port()).status == 200);
  portherd.wait_until("all of it has been counted",
                      [](const play::Status& now) { return now.app("hello").workers.at(0).served == 40; });
  ::kill(before.front, SIGKILL);
  portherd.wait_until("another front serves", [&](const play::Status& now) {
    return now.front != 0 && now.front != before.front && now.app("hello").slots > 0;
  });
  for (int i = 0; i < 9; ++i) REQUIRE(play::get(portherd.port()).status == 200);
  CHECK(replaced(portherd, "max_requests") == 0);
  REQUIRE(play::get(portherd.port()).status == 200);
  portherd.expect_line("cause=max_requests");
}
