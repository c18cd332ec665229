#include "play.h"

namespace {
constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
proxy = ["unix:app.sock"]
)";
constexpr const char* kAnswer =
    "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
}  // namespace

TEST_CASE("103 Early Hints reaches the client before the answer does") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  play::Peer client = play::connect(portherd.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  play::Peer worker = app.accept();
  worker.read_head();
  worker.send(kAnswer);

  const std::string hints = client.read_head();
  CHECK(hints.starts_with("HTTP/1.1 103 "));
  CHECK(play::field_of(hints, "Link") == "</style.css>; rel=preload");
  CHECK(client.read_answer().body == "hello");
}

TEST_CASE("a client of HTTP/1.0 gets no interim answer") {  // RFC 9110 15.2
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  play::Peer client = play::connect(portherd.port());
  client.send("GET / HTTP/1.0\r\n\r\n");
  play::Peer worker = app.accept();
  worker.read_head();
  worker.send(kAnswer);

  const play::Answer answer = client.read_answer();
  CHECK(answer.status == 200);
  CHECK(answer.body == "hello");
}
