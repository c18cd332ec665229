#include "play.h"

TEST_CASE("answers to HEAD, and 204 and 304, have no body and leave the connections good") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[front]
threads = 1
[apps.app]
proxy = ["unix:app.sock"]
)");
  play::Peer client = play::connect(portherd.port());
  client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  play::Peer worker = app.accept();
  CHECK(worker.read_head().starts_with("HEAD / HTTP/1.1\r\n"));
  worker.send("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n");
  CHECK(client.read_answer("HEAD").field("Content-Length") == "5000");

  client.send("GET / HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"x\"\r\n\r\n");
  CHECK(worker.read_head().starts_with("GET / HTTP/1.1\r\n"));  // on the same connection
  worker.send("HTTP/1.1 304 Not Modified\r\nContent-Length: 5000\r\nETag: \"x\"\r\n\r\n");
  const play::Answer unchanged = client.read_answer();
  CHECK(unchanged.status == 304);
  CHECK(unchanged.field("ETag") == "\"x\"");

  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  worker.read_head();
  worker.send("HTTP/1.1 204 No Content\r\n\r\n");
  const play::Answer empty = client.read_answer();
  CHECK(empty.status == 204);
  CHECK(empty.field("Content-Length").empty());  // RFC 9110 8.6
  CHECK(empty.field("Transfer-Encoding").empty());

  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  worker.read_head();
  worker.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  CHECK(client.read_answer().body == "hello");
}
