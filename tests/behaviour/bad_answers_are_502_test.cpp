#include "play.h"

using namespace std::literals;

TEST_CASE("what an app may not say is 502, and the next request is answered") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
proxy = ["unix:app.sock"]
)");
  for (const std::string_view text : {
           "nonsense\r\n\r\n"sv,
           "HTTP/1.1 20 OK\r\n\r\n"sv,
           "HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n"sv,
           "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n"sv,
           "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"sv,
           "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"sv,
           "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello"sv,
       }) {
    CAPTURE(text);
    play::Peer client = play::connect(portherd.port());
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    play::Peer worker = app.accept();
    worker.read_head();
    worker.send(text);
    worker.close();
    CHECK(client.read_answer().status == 502);
  }
  play::Peer client = play::connect(portherd.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  play::Peer worker = app.accept();
  worker.read_head();
  worker.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  CHECK(client.read_answer().body == "hello");
}

TEST_CASE("an app that does not answer in time is 504") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
proxy = ["unix:app.sock"]
request_timeout = "300ms"
)");
  play::Peer client = play::connect(portherd.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  play::Peer worker = app.accept();
  CHECK(client.read_answer().status == 504);

  play::Peer cut = play::connect(portherd.port());
  cut.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  play::Peer silent = app.accept();
  silent.read_head();
  silent.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");  // and then nothing
  const play::Answer answer = cut.read_answer();
  CHECK(answer.body == "hello");
  CHECK_FALSE(answer.is_whole);
}

TEST_CASE("a proxy worker that is not there is 502 at once, and found when it is") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
proxy = ["unix:app.sock"]
)");
  CHECK(play::get(portherd.port()).status == 502);

  play::App app(folder, "app.sock");
  play::Peer client = play::connect(portherd.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  play::Peer worker = app.accept();
  worker.read_head();
  worker.send("HTTP/1.1 204 No Content\r\n\r\n");
  CHECK(client.read_answer().status == 204);
}
