#include "play.h"

namespace {
constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.echo]
command = ["$PYTHON", "$APPS/echo.py"]
)";
}

TEST_CASE("requests that come in one piece are answered one by one, in order") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, kConfig);
  play::Peer client = play::connect(portherd.port());

  client.send(
      "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
      "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"
      "POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"
      "GET /4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  CHECK(client.read_answer().body.starts_with("GET /1 "));
  const std::string second = client.read_answer().body;
  CHECK(second.starts_with("POST /2 "));
  CHECK(second.ends_with("\r\n\r\nbody"));
  const std::string third = client.read_answer().body;
  CHECK(third.starts_with("POST /3 "));
  CHECK(third.ends_with("\r\n\r\nbody"));
  const play::Answer last = client.read_answer();
  CHECK(last.body.starts_with("GET /4 "));
  CHECK(last.field("Connection") == "close");
  CHECK(client.is_closed_by_peer());
}

TEST_CASE("HTTP/1.0 closes after one answer, unless the client asks to keep the connection") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, kConfig);

  play::Peer once = play::connect(portherd.port());
  once.send("GET /1 HTTP/1.0\r\n\r\n");
  CHECK(once.read_answer().status == 200);
  CHECK(once.is_closed_by_peer());

  play::Peer kept = play::connect(portherd.port());
  kept.send("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  CHECK(kept.read_answer().field("Connection") == "keep-alive");
  kept.send("GET /2 HTTP/1.0\r\n\r\n");
  CHECK(kept.read_answer().body.starts_with("GET /2 "));
  CHECK(kept.is_closed_by_peer());
}

TEST_CASE("a client that ends its writing after the request gets its answer") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, kConfig);
  portherd.wait_ready();  // in line, the end of its input would mean that it has gone
  portherd.wait_ready();  // in line, while the app starts, the end of input would mean that it has gone
  play::Peer client = play::connect(portherd.port());

  client.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n");
  client.shut_writing();
  CHECK(client.read_answer().body.starts_with("GET /1 "));
  CHECK(client.is_closed_by_peer());
}

TEST_CASE("a client that ends its writing after several requests gets all the answers") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, kConfig);
  portherd.wait_ready();
  play::Peer client = play::connect(portherd.port());

  client.send(
      "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
      "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"
      "GET /3 HTTP/1.1\r\nHost: a\r\n\r\n");
  client.shut_writing();
  CHECK(client.read_answer().body.starts_with("GET /1 "));
  CHECK(client.read_answer().body.starts_with("POST /2 "));
  CHECK(client.read_answer().body.starts_with("GET /3 "));
  CHECK(client.is_closed_by_peer());
}

TEST_CASE("what is not HTTP is refused and the connection closed") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, kConfig);
  for (const char* const bytes : {
           "GET / HTTP/1.1\r\n\r\n",                                // no Host
           "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",          // two
           "GET / HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n",      // a space in a name
           "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n folded\r\n\r\n",  // obsolete folding
           "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +4\r\n\r\nbody",
           "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
           "GET / HTTP/3.0\r\nHost: a\r\n\r\n",
           "nonsense\r\n\r\n",
       }) {
    CAPTURE(bytes);
    play::Peer client = play::connect(portherd.port());
    client.send(bytes);
    const play::Answer answer = client.read_answer();
    CHECK((answer.status == 400 || answer.status == 501 || answer.status == 505));
    CHECK(client.is_closed_by_peer());
  }
}

TEST_CASE("a head beyond its bounds is 431") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, kConfig);
  play::Peer large = play::connect(portherd.port());
  large.send("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(40'000, 'x') + "\r\n\r\n");
  CHECK(large.read_answer().status == 431);

  std::string fields;
  for (int i = 0; i < 101; ++i) fields += "X-" + std::to_string(i) + ": x\r\n";
  play::Peer many = play::connect(portherd.port());
  many.send("GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n");
  CHECK(many.read_answer().status == 431);
}

TEST_CASE("an answer that comes before the end of the request's body is the last one, and says so") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
proxy = ["unix:app.sock"]
stream_body = true
)");
  play::Peer client = play::connect(portherd.port());
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
  play::Peer worker = app.accept();
  worker.read_head();
  worker.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  const play::Answer answer = client.read_answer();
  CHECK(answer.body == "ok");
  CHECK(answer.field("Connection") == "close");
}
