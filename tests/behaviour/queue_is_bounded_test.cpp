#include "play.h"

namespace {
constexpr const char* kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
}  // namespace

TEST_CASE("beyond queue_size a request is 503 at once, with Retry-After") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
proxy = ["unix:app.sock"]
concurrency = 1
queue_size = 1
queue_timeout = "1h"
)");
  play::Peer running = play::connect(portherd.port());
  running.send(kGet);
  play::Peer worker = app.accept();
  worker.read_head();
  play::Peer waiting = play::connect(portherd.port());
  waiting.send(kGet);
  portherd.wait_until("one waits in line", [](const play::Status& s) { return s.app("app").queue == 1; });

  const play::Answer refused = play::get(portherd.port());
  CHECK(refused.status == 503);
  CHECK_FALSE(refused.field("Retry-After").empty());

  worker.send(kOk);
  CHECK(running.read_answer().body == "ok");
  worker.read_head();  // the connection that became free is used again
  worker.send(kOk);
  CHECK(waiting.read_answer().body == "ok");
}

TEST_CASE("a request that waited for queue_timeout is 503, and the app never sees it") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
proxy = ["unix:app.sock"]
concurrency = 1
queue_timeout = "300ms"
)");
  play::Peer running = play::connect(portherd.port());
  running.send(kGet);
  play::Peer worker = app.accept();
  worker.read_head();

  const play::Answer refused = play::get(portherd.port(), "/late");
  CHECK(refused.status == 503);
  CHECK_FALSE(refused.field("Retry-After").empty());
  worker.send(kOk);
  CHECK(running.read_answer().body == "ok");
  running.send(kGet);
  CHECK(worker.read_head().starts_with("GET / "));
  worker.send(kOk);
  CHECK(running.read_answer().body == "ok");
}

TEST_CASE("requests leave the line in the order in which they came") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
proxy = ["unix:app.sock"]
concurrency = 1
)");
  std::vector<play::Peer> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(play::connect(portherd.port()));
    clients.back().send("GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\n\r\n");
    portherd.wait_until("it is taken or waits", [i](const play::Status& s) {
      return s.app("app").busy == 1 && s.app("app").queue == i;
    });
  }
  play::Peer worker = app.accept();
  for (int i = 0; i < 5; ++i) {
    CHECK(worker.read_head().starts_with("GET /" + std::to_string(i) + " "));
    worker.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    CHECK(clients[static_cast<std::size_t>(i)].read_answer().body == "ok");
    if (i < 4) worker = app.accept();
  }
}

TEST_CASE("a client that left the line is never seen by the app") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
proxy = ["unix:app.sock"]
concurrency = 1
)");
  play::Peer running = play::connect(portherd.port());
  running.send(kGet);
  play::Peer worker = app.accept();
  worker.read_head();
  for (const bool by_reset : {false, true}) {
    play::Peer leaving = play::connect(portherd.port());
    leaving.send("GET /gone HTTP/1.1\r\nHost: a\r\n\r\n");
    portherd.wait_until("it waits in line", [](const play::Status& s) { return s.app("app").queue == 1; });
    by_reset ? leaving.reset() : leaving.close();
    portherd.wait_until("it has left", [](const play::Status& s) { return s.app("app").queue == 0; });
  }
  worker.send(kOk);
  CHECK(running.read_answer().body == "ok");
  running.send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(worker.read_head().starts_with("GET /next "));
  worker.send(kOk);
  CHECK(running.read_answer().body == "ok");
}
