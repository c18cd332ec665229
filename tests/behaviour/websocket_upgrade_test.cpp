#include "play.h"

namespace {
constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
proxy = ["unix:app.sock"]
)";
constexpr const char* kRequest =
    "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
}  // namespace

TEST_CASE("after 101 bytes go both ways as they are, until one side ends") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  play::Peer client = play::connect(portherd.port());
  client.send(kRequest);
  play::Peer worker = app.accept();
  const std::string head = worker.read_head();
  CHECK(play::field_of(head, "Upgrade") == "websocket");
  CHECK(play::field_of(head, "Connection") == "Upgrade");
  CHECK(play::field_of(head, "Sec-WebSocket-Key") == "dGhlIHNhbXBsZSBub25jZQ==");

  // The first frame may come in the same piece as the head.
  worker.send(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x81\x02hi");
  const std::string answer = client.read_head();
  CHECK(answer.starts_with("HTTP/1.1 101 "));
  CHECK(play::field_of(answer, "Upgrade") == "websocket");
  CHECK(play::field_of(answer, "Sec-WebSocket-Accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  CHECK(client.read(4) == "\x81\x02hi");
  client.send("\x81\x85....\r\n\r\n!");
  CHECK(worker.read(11) == "\x81\x85....\r\n\r\n!");
  worker.send(std::string(100'000, 'x'));
  CHECK(client.discard(100'000) == 100'000);

  SUBCASE("the app ends it") {
    worker.close();
    CHECK(client.is_closed_by_peer());
  }
  SUBCASE("the client ends it") {
    client.close();
    CHECK(worker.is_closed_by_peer());
  }
}

TEST_CASE("what a client says behind its handshake, before it has heard of it, reaches the app after the 101") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  play::Peer client = play::connect(portherd.port());
  client.send(std::string(kRequest) + "\x81\x85....early");
  play::Peer worker = app.accept();
  worker.read_head();
  SUBCASE("where the app agrees") {
    worker.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    CHECK(worker.read(11) == "\x81\x85....early");
    client.send("\x81\x84....late");
    CHECK(worker.read(10) == "\x81\x84....late");
  }
  SUBCASE("where it refuses, it is what it looks like: no request") {
    worker.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    CHECK(client.read_answer().status == 403);
    CHECK(client.read_answer().status == 400);
    CHECK(client.is_closed_by_peer());
  }
}

TEST_CASE("an app may refuse to upgrade, and the connection goes on") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  play::Peer client = play::connect(portherd.port());
  client.send(kRequest);
  play::Peer worker = app.accept();
  worker.read_head();
  worker.send("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno");
  CHECK(client.read_answer().status == 403);

  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  worker = app.accept();
  worker.read_head();
  worker.send("HTTP/1.1 204 No Content\r\n\r\n");
  CHECK(client.read_answer().status == 204);
}

TEST_CASE("an app may not switch protocols when nobody asked") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  play::Peer client = play::connect(portherd.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  play::Peer worker = app.accept();
  worker.read_head();
  worker.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  CHECK(client.read_answer().status == 502);
}

TEST_CASE("a tunnel may be silent for longer than a request may") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, std::string(kConfig) + "request_timeout = \"1s\"\n");
  play::Peer client = play::connect(portherd.port());
  client.send(kRequest);
  play::Peer worker = app.accept();
  worker.read_head();
  worker.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  client.read_head();
  // Another request begins later and has had its whole time when this answer comes.
  CHECK(play::get(portherd.port()).status == 504);
  worker.send("still here");
  CHECK(client.read(10) == "still here");
}
