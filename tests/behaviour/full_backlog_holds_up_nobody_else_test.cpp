#include "play.h"

TEST_CASE("a program that takes no more connections at its port holds up its own requests only") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[front]
threads = 1
drain_timeout = "100ms"
[apps.stuck]
hosts = ["stuck"]
command = ["$PYTHON", "$APPS/full_backlog.py", "{port}"]
[apps.well]
proxy = ["unix:app.sock"]
)");
  portherd.wait_ready();
  const pid_t front = portherd.status().front;
  play::Peer hanging = play::connect(portherd.port());
  hanging.send("GET /hang HTTP/1.1\r\nHost: stuck\r\n\r\n");
  portherd.expect_line("hangs");

  // Far more than its backlog takes: the kernel drops what is too many, and who connects is left to wait.
  std::vector<play::Peer> waiting;
  for (int i = 0; i < 12; ++i) {
    waiting.push_back(play::connect(portherd.port()));
    waiting.back().send("GET / HTTP/1.1\r\nHost: stuck\r\n\r\n");
  }
  for (int i = 0; i < 3; ++i) {
    play::Peer client = play::connect(portherd.port());
    client.send("GET / HTTP/1.1\r\nHost: well\r\n\r\n");
    play::Peer worker = app.accept();
    worker.read_head();
    worker.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    CHECK(client.read_answer().body == "ok");
  }
  CHECK(portherd.status().front == front);
}
