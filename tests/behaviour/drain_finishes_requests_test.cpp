#include "play.h"

namespace {
constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
proxy = ["unix:app.sock"]
)";
constexpr const char* kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

std::string with(std::string_view more) {
  std::string config = kConfig;
  config += more;
  return config;
}
}  // namespace

TEST_CASE("TERM, INT and QUIT: requests in flight are answered, then all end with exit status 0") {
  for (const int number : {SIGTERM, SIGINT, SIGQUIT}) {
    CAPTURE(number);
    const play::Folder folder;
    play::App app(folder, "app.sock");
    auto portherd = play::Supervisor::serve(folder, kConfig);
    play::Peer client = play::connect(portherd.port());
    client.send(kGet);
    play::Peer worker = app.accept();
    worker.read_head();

    portherd.signal(number);
    portherd.expect_line("drain");
    worker.send(kOk);
    const play::Answer answer = client.read_answer();
    CHECK(answer.body == "ok");
    CHECK(answer.field("Connection") == "close");
    CHECK(client.is_closed_by_peer());
    CHECK(portherd.wait_exit() == 0);
    CHECK(play::is_refused(portherd.port()));
  }
}

TEST_CASE("a connection that is idle when the drain begins gets one more answer") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  play::Peer idle = play::connect(portherd.port());
  idle.send(kGet);
  play::Peer worker = app.accept();
  worker.read_head();
  worker.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
  CHECK(idle.read_answer().body == "ok");

  portherd.signal(SIGTERM);
  portherd.expect_line("drain");
  idle.send(kGet);
  worker = app.accept();
  worker.read_head();
  worker.send(kOk);
  CHECK(idle.read_answer().field("Connection") == "close");
  CHECK(portherd.wait_exit() == 0);
}

TEST_CASE("what has not ended after drain_timeout is cut") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, with("[front]\ndrain_timeout = \"300ms\"\n"));
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
  auto portherd = play::Supervisor::serve(folder, with("[front]\ndrain_timeout = \"1h\"\n"));
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
  client.send(kGet);
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
