#include "play.h"

TEST_CASE("a client that waits for 100 gets it once, and the app gets the body") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
proxy = ["unix:app.sock"]
max_body = "1KiB"
)");
  play::Peer client = play::connect(portherd.port());
  client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  CHECK(client.read_head() == "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("hello");

  play::Peer worker = app.accept();
  const std::string head = worker.read_head();
  CHECK(play::field_of(head, "Expect").empty());
  CHECK(worker.read_body(head) == "hello");
  worker.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  CHECK(client.read_answer().body == "ok");

  SUBCASE("what is refused anyway is refused without asking for the body") {
    client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5000\r\n\r\n");
    CHECK(client.read_answer().status == 413);
  }
}

TEST_CASE("with stream_body 100 comes when a worker is held") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
proxy = ["unix:app.sock"]
concurrency = 1
stream_body = true
)");
  play::Peer first = play::connect(portherd.port());
  first.send("GET /first HTTP/1.1\r\nHost: a\r\n\r\n");
  play::Peer worker = app.accept();
  worker.read_head();
  play::Peer second = play::connect(portherd.port());
  second.send("POST /second HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  portherd.wait_until("the second waits in line",
                      [](const play::Status& s) { return s.apps.at(0).queue == 1; });

  worker.send("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
  CHECK(first.read_answer().status == 204);
  CHECK(second.read_head() == "HTTP/1.1 100 Continue\r\n\r\n");
  second.send("hello");
  worker = app.accept();
  const std::string head = worker.read_head();
  CHECK(worker.read_body(head) == "hello");
}

TEST_CASE("a request without a body gets no 100, whatever it expects") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
proxy = ["unix:app.sock"]
)");
  play::Peer client = play::connect(portherd.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n");
  play::Peer worker = app.accept();
  worker.read_head();
  worker.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  CHECK(client.read_head().starts_with("HTTP/1.1 200 "));
}
