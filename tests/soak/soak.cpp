// What the life of the herd costs when it goes on for long: by the clock, so it is no part of tests/run. See tests/soak/run.
// PORTHERD_TEST_SCALE=0.1 makes each a tenth as long.
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "behaviour/steady_load.h"

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::seconds;

constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
https = ["127.0.0.1:$TLS"]
[tls]
certificates = "tls"
[log]
access = "off"
[apps.hello]
hosts = ["localhost"]
wsgi = "hello:app"
python = "$PYTHON"
workers = 2
plain_http = "serve"
)";
constexpr const char* kHello = R"(
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "6")])
    return [b"hello\n"]
)";

play::Supervisor serve(const play::Folder& folder, const std::string& more = "") {
  folder.certificate("localhost");
  folder.write("hello.py", kHello);
  return play::Supervisor::serve(folder, kConfig + more);
}

/// "hello\n" to clients of HTTP/1.1, of HTTP/1.1 over TLS and of HTTP/2.
play::Question question() {
  return {.is_answer = [](std::string_view body) { return body == "hello\n"; }};
}

Clock::time_point end_of(std::uint64_t number) {
  return Clock::now() + seconds(play::scaled(number));
}

/// CPU time that a process has had: by itself, and by children of it that have ended (proc(5), /proc/PID/stat).
struct CpuTime {
  double own = 0, children = 0;  ///< seconds
};
CpuTime cpu_time(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string word;
  for (int field = 1; field < 14; ++field) file >> word;  // no name of ours has a space
  double user = 0, system = 0, user_of_children = 0, system_of_children = 0;
  file >> user >> system >> user_of_children >> system_of_children;
  const auto a_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  return {(user + system) / a_second, (user_of_children + system_of_children) / a_second};
}

}  // namespace

TEST_CASE("a worker is killed every 500 ms for 30 s, and no GET fails") {
  const play::Folder folder;
  auto portherd = serve(folder);
  portherd.wait_ready();
  play::SteadyLoad load(portherd, question());
  std::size_t killed = 0;
  const auto end = end_of(30);
  for (auto next = Clock::now(); next < end; next += play::milliseconds(500)) {
    std::this_thread::sleep_until(next);
    const std::vector<pid_t> ready = portherd.status().app("hello").ready();
    if (!ready.empty() && ::kill(ready[killed % ready.size()], SIGKILL) == 0) ++killed;
  }
  load.stop_unhurt();
  const auto deaths = portherd.lines_with("worker has ended unexpectedly");
  const auto has_cause = [](const std::string& line) { return line.find("killed from outside (SIGKILL)") != std::string::npos; };
  MESSAGE(killed << " workers killed, " << deaths.size() << " death certificates");
  CHECK(killed > 0);
  CHECK(std::ranges::all_of(deaths, has_cause));
  CHECK(portherd.wait_ready().app("hello").failed == 0);
}

TEST_CASE("an app crashes at boot for a minute: the one beside it is unhurt, and of the other is said little") {
  const play::Folder folder;
  auto portherd = serve(folder, R"(
[apps.broken]
hosts = ["broken.example"]
command = ["$PYTHON", "$APPS/crash_loop.py"]
workers = 4
)");
  const auto is_up = [](const play::Status& now) { return now.app("hello").ready().size() == 2; };
  const play::Status before = portherd.wait_until("the sound one serves", is_up);
  const CpuTime began = cpu_time(before.supervisor);
  play::SteadyLoad load(portherd, question());
  std::this_thread::sleep_until(end_of(60));
  load.stop_unhurt();

  const play::Status after = portherd.status();
  const CpuTime ended = cpu_time(after.supervisor);
  const auto said = portherd.lines_with("app=broken");
  const std::size_t tries = portherd.lines_with("broken.").size() / 2;  // each says two lines of its own
  MESSAGE(tries << " tries, " << said.size() << " lines about them, CPU time of the supervisor "
          << ended.own - began.own << " s, of all who tried " << ended.children - began.children << " s");
  for (const std::string& line : said) MESSAGE(line);
  CHECK(said.size() <= 10);
  CHECK(after.app("broken").state == "failing");
  CHECK(after.app("hello").ready() == before.app("hello").ready());
  CHECK(after.app("hello").failed == 0);
}

TEST_CASE("restarts, one after the other for 30 s: no request fails") {
  const play::Folder folder;
  auto portherd = serve(folder);
  portherd.wait_ready();
  play::SteadyLoad load(portherd, question());
  int restarts = 0;
  for (const auto end = end_of(30); Clock::now() < end; ++restarts) {
    const play::Ended restarted = play::portherd({"restart", "hello", "-c", portherd.config_file()});
    REQUIRE_MESSAGE(restarted.status == 0, restarted.err);
  }
  load.stop_unhurt();
  MESSAGE(restarts << " restarts");
  CHECK(portherd.wait_ready().app("hello").failed == 0);
  CHECK(portherd.lines_with("unexpectedly").empty());
}
