#include "play.h"

namespace {
constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
https = ["127.0.0.1:$TLS"]
[tls]
certificates = "tls"
[front.clocks]
head = "300ms"
handshake = "300ms"
body_idle = "300ms"
keep_alive = "300ms"
[apps.app]
proxy = ["unix:app.sock"]
plain_http = "serve"
)";
}

TEST_CASE("no client can hold a connection by being slow, and no worker is held meanwhile") {
  const play::Folder folder;
  folder.certificate("localhost");
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kConfig);

  SUBCASE("a head that does not end is 408") {
    play::Peer client = play::connect(portherd.port());
    client.send("GET / HTTP/1.1\r\nHost: a\r\n");
    CHECK(client.read_answer().status == 408);
    CHECK(client.is_closed_by_peer());
  }
  SUBCASE("a body that does not come is 408") {
    play::Peer client = play::connect(portherd.port());
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel");
    CHECK(client.read_answer().status == 408);
    CHECK(client.is_closed_by_peer());
  }
  SUBCASE("a connection without a request is closed, without a word") {
    play::Peer client = play::connect(portherd.port());
    CHECK(client.is_closed_by_peer());
  }
  SUBCASE("a handshake that does not begin is closed") {
    play::Peer client = play::connect(portherd.tls_port());
    CHECK(client.is_closed_by_peer());
  }
  CHECK_FALSE(app.has_visitor());
}

TEST_CASE("a connection is closed when it has been idle after an answer") {
  const play::Folder folder;
  folder.certificate("localhost");
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  play::Peer client = play::connect(portherd.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  play::Peer worker = app.accept();
  worker.read_head();
  worker.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  CHECK(client.read_answer().body == "ok");
  CHECK(client.is_closed_by_peer());
}

TEST_CASE("a client that takes nothing of its answer is cut after write_idle, and the worker is free") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[front.clocks]
write_idle = "300ms"
[apps.app]
proxy = ["unix:app.sock"]
)");
  play::Peer client = play::connect(portherd.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  play::Peer worker = app.accept();
  worker.read_head();
  worker.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
  worker.send_until_blocked(1'000'000'000);
  CHECK(worker.is_closed_by_peer());
  portherd.wait_until("the slot is free", [](const play::Status& s) { return s.app("app").busy == 0; });
}

TEST_CASE("a client that stops in the middle of its body is to blame, although the app has begun to answer") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[front.clocks]
body_idle = "300ms"
[apps.app]
proxy = ["unix:app.sock"]
stream_body = true
)");
  play::Peer client = play::connect(portherd.port());
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel");
  play::Peer worker = app.accept();
  worker.read_head();
  worker.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nso ");
  CHECK(client.read_head().starts_with("HTTP/1.1 200 "));
  portherd.expect_line("client: body came too slowly");
  CHECK(client.discard(9) < 9);  // cut: no part is taken for the whole
}
