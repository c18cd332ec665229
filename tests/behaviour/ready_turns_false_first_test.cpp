#include "play.h"

namespace {

constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[metrics]
listen = "127.0.0.1:$TLS"
[front]
threads = 1
[apps.app]
proxy = ["unix:app.sock"]
[apps.quick]
hosts = ["quick"]
command = ["$PYTHON", "$APPS/who.py"]
)";
constexpr const char* kQuick = "GET / HTTP/1.1\r\nHost: quick\r\n\r\n";

play::Answer ready(const play::Supervisor& portherd) {
  return play::get(portherd.tls_port(), "/-/ready");
}
play::Answer healthy(const play::Supervisor& portherd) {
  return play::get(portherd.tls_port(), "/-/healthy");
}

void wait_until_ready(play::Supervisor& portherd) {
  portherd.wait_until("it says that it is ready",
                      [&](const play::Status&) { return ready(portherd).status == 200; });
}

}  // namespace

TEST_CASE("with shutdown_delay it is not ready at once, and serves on") {
  const play::Folder folder;
  std::string config = kConfig;
  config.replace(config.find("threads = 1"), 0, "shutdown_delay = \"1h\"\n");
  auto portherd = play::Supervisor::serve(folder, config);
  wait_until_ready(portherd);

  portherd.signal(SIGTERM);
  portherd.wait_until("it says that it is not",
                      [&](const play::Status&) { return ready(portherd).status == 503; });
  CHECK(ready(portherd).body == "not ready: draining\n");
  CHECK(healthy(portherd).status == 200);
  CHECK(play::get(portherd.port(), "/", "quick").status == 200);  // a new connection, after it said so
  portherd.signal(SIGTERM);
  CHECK(portherd.wait_exit() == 0);
}

TEST_CASE("whoever sees the drain has been able to see before that it is not ready") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  wait_until_ready(portherd);
  play::Peer idle = play::connect(portherd.port());
  idle.send(kQuick);
  CHECK(idle.read_answer().status == 200);
  play::Peer client = play::connect(portherd.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  play::Peer worker = app.accept();
  worker.read_head();

  portherd.signal(SIGTERM);
  play::Answer answer;
  do {  // the drain is in force when a connection that was idle gets an answer that says so
    idle.send(kQuick);
    answer = idle.read_answer();
    REQUIRE(answer.status == 200);
  } while (answer.field("Connection") != "close");
  CHECK(ready(portherd).status == 503);
  CHECK(ready(portherd).body == "not ready: draining\n");
  CHECK(healthy(portherd).status == 200);
  worker.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  CHECK(client.read_answer().body == "ok");
  CHECK(portherd.wait_exit() == 0);
}

TEST_CASE("it is not ready while an app has its first boot before it, and says which one") {
  const play::Folder folder;
  REQUIRE(play::run({"mkfifo", folder / "go"}).status == 0);
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[metrics]
listen = "127.0.0.1:$TLS"
[apps.slow]
command = ["$PYTHON", "$APPS/slow_start.py"]
)");
  portherd.expect_line("started");
  CHECK(ready(portherd).status == 503);
  CHECK(ready(portherd).body == "not ready: app slow boots for the first time\n");
  CHECK(healthy(portherd).status == 200);

  // A front that comes later knows it, too.
  const pid_t front = portherd.status().front;
  ::kill(front, SIGKILL);
  portherd.wait_until("another front runs",
                      [&](const play::Status& status) { return status.front > 0 && status.front != front; });
  CHECK(ready(portherd).status == 503);
  folder.write("go", "");
  wait_until_ready(portherd);
}

TEST_CASE("an app whose first boot has failed keeps it from being ready, but not from being alive") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[metrics]
listen = "127.0.0.1:$TLS"
[apps.broken]
command = ["$PYTHON", "$APPS/crash_loop.py"]
)");
  portherd.expect_line("worker did not become ready");
  CHECK(ready(portherd).status == 503);
  CHECK(ready(portherd).body == "not ready: app broken has not booted yet; the first try has failed\n");
  CHECK(healthy(portherd).status == 200);
  folder.write("fixed", "");
  wait_until_ready(portherd);
}
