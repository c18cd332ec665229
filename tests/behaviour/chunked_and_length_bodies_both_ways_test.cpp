#include "play.h"

namespace {
constexpr const char* kGathered = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
proxy = ["unix:app.sock"]
)";
constexpr const char* kStreamed = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
proxy = ["unix:app.sock"]
stream_body = true
)";
}  // namespace

TEST_CASE("a body reaches the app whole, however the client framed it") {
  for (const char* const config : {kGathered, kStreamed}) {
    const play::Folder folder;
    play::App app(folder, "app.sock");
    auto portherd = play::Supervisor::serve(folder, config);
    for (const char* const request : {
             "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world",
             "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;x=\"y\"\r\nhello\r\n06\r\n "
             "world\r\n0\r\n\r\n",
         }) {
      CAPTURE(request);
      play::Peer client = play::connect(portherd.port());
      client.send(request);
      play::Peer worker = app.accept();
      const std::string head = worker.read_head();
      CHECK(worker.read_body(head) == "hello world");
      worker.send("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
      CHECK(client.read_answer().status == 204);
    }
  }
}

TEST_CASE("an answer reaches the client whole, however the app framed it") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kGathered);
  for (const char* const text : {
           "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 11\r\n\r\nhello world",
           "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n "
           "world\r\n0\r\n\r\n",
           "HTTP/1.1 200 OK\r\n\r\nhello world",  // to the end of the connection
           "HTTP/1.0 200 OK\r\n\r\nhello world",
       }) {
    CAPTURE(text);
    play::Peer client = play::connect(portherd.port());
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    play::Peer worker = app.accept();
    worker.read_head();
    worker.send(text);
    worker.close();
    const play::Answer answer = client.read_answer();
    CHECK(answer.body == "hello world");
    CHECK(answer.is_whole);
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");  // the connection is still good
    worker = app.accept();
    worker.read_head();
    worker.send("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    CHECK(client.read_answer().status == 204);
  }
}

TEST_CASE("a client of HTTP/1.0 gets no chunks") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kGathered);
  play::Peer client = play::connect(portherd.port());
  client.send("GET / HTTP/1.0\r\n\r\n");
  play::Peer worker = app.accept();
  worker.read_head();
  worker.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");

  const play::Answer answer = client.read_answer();
  CHECK(answer.field("Transfer-Encoding").empty());
  CHECK(answer.body == "hello");
}

TEST_CASE("with stream_body the app sees the first bytes before the last were sent") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kStreamed);
  play::Peer client = play::connect(portherd.port());
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nfirst");
  play::Peer worker = app.accept();
  CHECK(play::field_of(worker.read_head(), "Content-Length") == "10");
  CHECK(worker.read(5) == "first");

  worker.send(
      "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nea");  // an answer may begin before the request has ended
  CHECK(client.read_head().starts_with("HTTP/1.1 200 "));
  CHECK(client.read(2) == "ea");
  client.send("-last");
  CHECK(worker.read(5) == "-last");
  worker.send("rl");
  CHECK(client.read(2) == "rl");
}

TEST_CASE("without stream_body no worker is held while a body is on its way") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kGathered);
  play::Peer slow = play::connect(portherd.port());
  slow.send("POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nfirst");
  play::Peer quick = play::connect(portherd.port());
  quick.send("GET /quick HTTP/1.1\r\nHost: a\r\n\r\n");

  play::Peer worker = app.accept();
  CHECK(worker.read_head().starts_with("GET /quick "));
  CHECK_FALSE(app.has_visitor());
  worker.send("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
  slow.send("-last");
  worker = app.accept();
  const std::string head = worker.read_head();
  CHECK(head.starts_with("POST /slow "));
  CHECK(worker.read_body(head) == "first-last");
}

TEST_CASE("a body larger than max_body is 413, and the app never sees it") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
proxy = ["unix:app.sock"]
max_body = "10B"
)");
  play::Peer told = play::connect(portherd.port());
  told.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n");
  CHECK(told.read_answer().status == 413);
  play::Peer untold = play::connect(portherd.port());
  untold.send(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n");
  CHECK(untold.read_answer().status == 413);
  CHECK_FALSE(app.has_visitor());
}

namespace {
// So many bytes of a chunked body, in whatever chunks.
std::string read_data(play::Peer& worker, std::size_t size) {
  std::string data;
  while (data.size() < size) {
    std::string line;
    while (!line.ends_with("\r\n")) line += worker.read(1);
    data += worker.read(std::stoul(line, nullptr, 16));
    CHECK(worker.read(2) == "\r\n");
  }
  return data;
}
}  // namespace

TEST_CASE("a chunked body goes on wherever a piece of it ended") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kStreamed);
  const std::string rest = "\r\n10\r\n0123456789abcdef\r\n0\r\nName: trailer\r\n\r\n";
  const std::size_t data = rest.find('0', 4), after = data + 16;
  for (std::size_t cut = 0; cut < rest.size(); ++cut) {
    if (cut > data && cut < after) continue;
    CAPTURE(cut);
    play::Peer client = play::connect(portherd.port());
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello" + rest.substr(0, cut));
    play::Peer worker = app.accept();
    worker.read_head();
    // When the data has come, so has what stood behind it.
    CHECK(read_data(worker, cut < after ? 5 : 21) == (cut < after ? "hello" : "hello0123456789abcdef"));
    client.send(rest.substr(cut));
    if (cut < after) CHECK(read_data(worker, 16) == "0123456789abcdef");
    CHECK(worker.read(20) == "0\r\nName: trailer\r\n\r\n");
    worker.send("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    CHECK(client.read_answer().status == 204);
  }
}
