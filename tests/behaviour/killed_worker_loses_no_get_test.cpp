#include <atomic>
#include <thread>

#include "load.h"
#include "play.h"

namespace {

constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[log]
access = "off"
[apps.hello]
wsgi = "hello:app"
python = "$PYTHON"
workers = 2
)";
constexpr const char* kHello = R"(
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "6")])
    return [b"hello\n"]
)";

// Until `is_over`: kills a worker, waits until its replacement is ready and a good part of the load has been
// served since, kills the one in the other place, and so on.
void kill_in_turn(play::Supervisor& portherd, const std::atomic<bool>& is_over, std::uint64_t pause,
                  std::size_t& killed) {
  while (!is_over) {
    const play::Status before = portherd.wait_ready();
    const auto& workers = before.app("hello").workers;
    ::kill(workers.at(killed++ % workers.size()).pid, SIGKILL);
    portherd.wait_until("a replacement serves, or the load is over", [&](const play::Status& now) {
      return is_over || (now.all_ready() && now.app("hello").served >= before.app("hello").served + pause);
    });
  }
}

// The load of one h2load, under which workers are killed.
play::Load load_with_deaths(play::Supervisor& portherd, const play::Arguments& h2load, std::uint64_t pause,
                            std::size_t& killed) {
  std::atomic<bool> is_over = false;
  play::Ended ended;
  std::thread client([&] {
    ended = play::run(h2load);
    is_over = true;
  });
  kill_in_turn(portherd, is_over, pause, killed);
  client.join();
  return play::to_load(ended);
}

}  // namespace

TEST_CASE("workers are killed all the time, and no GET fails") {
  const play::Folder folder;
  folder.write("hello.py", kHello);
  auto portherd = play::Supervisor::serve(folder, kConfig);
  portherd.wait_ready();
  const std::uint64_t count = play::scaled(100'000);
  const std::string url = "http://127.0.0.1:" + std::to_string(portherd.port()) + "/";

  for (const play::Arguments& kind :
       {play::Arguments{"--h1", "-c", "64"}, play::Arguments{"-c", "32", "-m", "16"}}) {
    play::Arguments arguments = {"h2load", "-n", std::to_string(count), url};
    arguments.insert(arguments.end() - 1, kind.begin(), kind.end());
    std::size_t killed = 0;
    int rounds = 0;
    for (; killed < 5 && rounds < 20; ++rounds) {
      const play::Load load = load_with_deaths(portherd, arguments, count / 20, killed);
      CHECK(load.answered_2xx == count);
      CHECK(load.failed == 0);
    }
    MESSAGE("killed " << killed << " workers in " << rounds << " times " << count << " requests");
    CHECK(killed >= 5);
  }
  CHECK(portherd.status().app("hello").failed == 0);
}

TEST_CASE("a GET that a worker was killed with is answered by another") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
command = ["$PYTHON", "$APPS/dies_with_unread_request.py"]
)");
  portherd.wait_ready();
  play::Peer client = play::connect(portherd.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");

  portherd.expect_line("dies of");
  CHECK(client.read_answer().body == "calm\n");
}

TEST_CASE("a POST that a worker was killed with is 502, since it may have been run") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
command = ["$PYTHON", "$APPS/dies_with_unread_request.py"]
)");
  portherd.wait_ready();
  play::Peer client = play::connect(portherd.port());
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");

  portherd.expect_line("dies of");
  CHECK(client.read_answer().status == 502);
}
