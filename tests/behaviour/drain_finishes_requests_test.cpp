#include "play.h"

namespace {
constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[front]
threads = 1
[apps.app]
proxy = ["unix:app.sock"]
[apps.quick]
hosts = ["quick"]
command = ["$PYTHON", "$APPS/who.py"]
)";
constexpr const char* kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

std::string with_drain_timeout(std::string_view timeout) {
  std::string config = kConfig;
  config.replace(config.find("threads = 1"), 0, "drain_timeout = \"" + std::string(timeout) + "\"\n");
  return config;
}

// The drain is in force when a connection that was idle gets an answer that says so.
void ask_until_told_to_close(play::Peer& idle) {
  play::Answer answer;
  do {
    idle.send("GET / HTTP/1.1\r\nHost: quick\r\n\r\n");
    answer = idle.read_answer();
    REQUIRE(answer.status == 200);
  } while (answer.field("Connection") != "close");
  CHECK(idle.is_closed_by_peer());
}

void wait_refused(std::uint16_t port) {
  const auto patience = std::chrono::steady_clock::now() + play::kPatience;
  while (!play::is_refused(port)) REQUIRE(std::chrono::steady_clock::now() < patience);
}
}  // namespace

TEST_CASE("TERM, INT and QUIT: requests in flight are answered, then all end with exit status 0") {
  for (const int number : {SIGTERM, SIGINT, SIGQUIT}) {
    CAPTURE(number);
    const play::Folder folder;
    play::App app(folder, "app.sock");
    auto portherd = play::Supervisor::serve(folder, kConfig);
    portherd.wait_ready();
    play::Peer idle = play::connect(portherd.port());
    idle.send("GET / HTTP/1.1\r\nHost: quick\r\n\r\n");
    CHECK(idle.read_answer().status == 200);
    play::Peer client = play::connect(portherd.port());
    client.send(kGet);
    play::Peer worker = app.accept();
    worker.read_head();

    portherd.signal(number);
    ask_until_told_to_close(idle);
    worker.send(kOk);
    const play::Answer answer = client.read_answer();
    CHECK(answer.body == "ok");
    CHECK(answer.field("Connection") == "close");
    CHECK(client.is_closed_by_peer());
    CHECK(portherd.wait_exit() == 0);
    CHECK(play::is_refused(portherd.port()));
  }
}

TEST_CASE("a front that dies during the drain is not replaced: nobody could come to another one") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  const pid_t front = portherd.wait_ready().front;
  play::Peer client = play::connect(portherd.port());
  client.send(kGet);
  play::Peer worker = app.accept();
  worker.read_head();

  portherd.signal(SIGTERM);
  wait_refused(portherd.port());
  REQUIRE(::kill(front, SIGKILL) == 0);
  CHECK(portherd.wait_exit() == 0);
  CHECK(portherd.lines_with("the front accepts").size() == 1);
}

TEST_CASE("a connection that was idle when the drain began is closed only after one more answer") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, kConfig);
  portherd.wait_ready();
  std::vector<play::Peer> idle;
  for (int i = 0; i < 10; ++i) {
    idle.push_back(play::connect(portherd.port()));
    idle.back().send("GET / HTTP/1.1\r\nHost: quick\r\n\r\n");
    CHECK(idle.back().read_answer().status == 200);
  }

  portherd.signal(SIGTERM);
  for (play::Peer& client : idle) ask_until_told_to_close(client);
  CHECK(portherd.wait_exit() == 0);
}

TEST_CASE("who comes while it drains is refused at once, and does not wait for nobody") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, with_drain_timeout("1h"));
  portherd.wait_ready();
  play::Peer client = play::connect(portherd.port());
  client.send(kGet);
  play::Peer worker = app.accept();
  worker.read_head();

  portherd.signal(SIGTERM);
  wait_refused(portherd.port());
  worker.send(kOk);
  CHECK(client.read_answer().body == "ok");
  CHECK(portherd.wait_exit() == 0);
}

TEST_CASE("what has not ended after drain_timeout is cut") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, with_drain_timeout("300ms"));
  play::Peer client = play::connect(portherd.port());
  client.send(kGet);
  play::Peer worker = app.accept();
  worker.read_head();

  CHECK(portherd.stop() == 0);
  CHECK_FALSE(client.read_answer().is_whole);
  CHECK(worker.is_closed_by_peer());
}

TEST_CASE("a second INT stops now") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, with_drain_timeout("1h"));
  play::Peer client = play::connect(portherd.port());
  client.send(kGet);
  play::Peer worker = app.accept();
  worker.read_head();

  portherd.signal(SIGINT);
  portherd.expect_line("drain");
  portherd.signal(SIGINT);
  CHECK(portherd.wait_exit() == 0);
  CHECK_FALSE(client.read_answer().is_whole);
}

TEST_CASE("a WSGI worker finishes its request before it ends") {
  const play::Folder folder;
  folder.write("slow.py", R"(
import os
def app(environ, start_response):
    print("asked", flush=True)
    with open("go") as fifo:
        fifo.read()
    start_response("200 OK", [])
    return [b"finished"]
)");
  REQUIRE(play::run({"mkfifo", folder / "go"}).status == 0);
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.slow]
wsgi = "slow:app"
python = "$PYTHON"
)");
  play::Peer client = play::connect(portherd.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  portherd.expect_line("asked");
  portherd.signal(SIGTERM);
  portherd.expect_line("drain");
  folder.write("go", "");
  CHECK(client.read_answer().body == "finished");
  CHECK(portherd.wait_exit() == 0);
}

TEST_CASE("if the supervisor is killed, nobody stays behind for long") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.who]
command = ["$PYTHON", "$APPS/who.py"]
workers = 2
)");
  const play::Status status = portherd.wait_ready();
  const pid_t supervisor = portherd.pid();
  portherd.leave_to_die();
  ::kill(supervisor, SIGKILL);
  for (const pid_t worker : status.app("who").ready()) play::wait_gone(worker);
  play::wait_gone(status.front);
  CHECK(portherd.wait_exit() == -SIGKILL);
}
