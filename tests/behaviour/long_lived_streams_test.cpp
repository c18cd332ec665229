// What lives long goes through at once, both ways, and may be silent for longer than a request may.
#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "play.h"

namespace {

using namespace std::string_literals;

constexpr const char* kUpgrade =
    "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
constexpr const char* kSwitched =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
constexpr const char* kEventStream =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n\r\ndata: one\n\n";

// HTTP/2 frames, RFC 9113 4.1.
std::string frame(char type, char flags, char stream, const std::string& payload) {
  return {std::string(1, '\0') + static_cast<char>(payload.size() >> 8) +
          static_cast<char>(payload.size() & 0xff) + type + flags + "\0\0\0"s + stream + payload};
}
constexpr char kData = 0, kHeaders = 1, kReset = 3, kSettings = 4;
constexpr char kEndStream = 1, kEndHeaders = 4;

/// The payload of the next frame of this type on stream 1; others (SETTINGS, WINDOW_UPDATE) are passed over.
std::string next_frame(play::Peer& client, char type) {
  for (;;) {
    const std::string head = client.read(9);
    REQUIRE(head.size() == 9);
    const auto size = static_cast<unsigned char>(head[1]) * 256U + static_cast<unsigned char>(head[2]);
    std::string payload = client.read(size);
    if (head[8] == 1 && head[3] == kReset) FAIL("the stream was reset");
    if (head[8] == 1 && head[3] == type) return payload;
  }
}

}  // namespace

TEST_CASE("an event reaches the client at once, whatever it speaks") {
  const play::Folder folder;
  folder.certificate("localhost");
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, play::kPlainAndTls);
  const std::string pipe = folder / "events";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const std::string http = "http://localhost:" + std::to_string(portherd.port()) + "/events";
  const std::string https = "https://localhost:" + std::to_string(portherd.tls_port()) + "/events";

  play::Arguments curl{"curl", "-sS", "-k", "-N", "--max-time", "60", "-o", pipe};
  SUBCASE("HTTP/1.1") {
    curl.insert(curl.end(), {"--http1.1", http});
  }
  SUBCASE("HTTP/1.1 over TLS") {
    curl.insert(curl.end(), {"--http1.1", https});
  }
  SUBCASE("h2") {
    curl.insert(curl.end(), {"--http2", https});
  }
  SUBCASE("h2c") {
    curl.insert(curl.end(), {"--http2-prior-knowledge", http});
  }
  std::thread asks([&] { CHECK(play::run(curl).status == 0); });
  play::Peer worker = app.accept();
  worker.read_head();
  worker.send(kEventStream);
  std::ifstream events(pipe);
  std::string line;
  std::getline(events, line);
  CHECK(line == "data: one");
  std::getline(events, line);
  // Only now there is a second one.
  worker.send("data: two\n\n");
  std::getline(events, line);
  CHECK(line == "data: two");
  worker.close();
  std::getline(events, line);
  CHECK(!std::getline(events, line));
  asks.join();
}

TEST_CASE(
    "both sides of an HTTP/2 stream speak when they like: the app answers before the request has ended") {
  const play::Folder folder;
  folder.certificate("localhost");
  play::App app(folder, "app.sock");
  std::string fields;
  SUBCASE("with stream_body") {}
  // literal field without indexing, name by index 31: content-type (RFC 7541 6.2.2)
  SUBCASE("a gRPC call needs no setting") {
    fields = "\x0f\x10\x16"s + "application/grpc+proto";
  }
  auto portherd =
      play::Supervisor::serve(folder, std::string(play::kPlainAndTls) + (fields.empty() ? "stream_body = true\n" : ""));
  play::Peer client = play::connect(portherd.port());
  client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(kSettings, 0, 0, ""));
  // :method POST, :scheme http, :path /, :authority a
  client.send(frame(kHeaders, kEndHeaders, 1, "\x83\x86\x84\x41\x01"s + "a" + fields));

  play::Peer worker = app.accept();
  CHECK(play::field_of(worker.read_head(), "Transfer-Encoding") == "chunked");
  worker.send("HTTP/1.1 200 OK\r\nContent-Type: application/grpc+proto\r\n\r\n");
  next_frame(client, kHeaders);
  for (const std::string word : {"one", "two"}) {
    client.send(frame(kData, 0, 1, word));
    CHECK(worker.read(8) == "3\r\n" + word + "\r\n");
    worker.send("re: " + word);
    CHECK(next_frame(client, kData) == "re: " + word);
  }
  client.send(frame(kData, kEndStream, 1, ""));
  CHECK(worker.read(5) == "0\r\n\r\n");
  worker.send("bye");
  CHECK(next_frame(client, kData) == "bye");
  worker.close();
  CHECK(next_frame(client, kData).empty());
}

TEST_CASE("a tunnel is closed one way at a time") {
  const play::Folder folder;
  folder.certificate("localhost");
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, play::kPlainAndTls);
  bool tls = false, client_first = false;
  SUBCASE("the client first") {
    client_first = true;
  }
  SUBCASE("the client first, over TLS") {
    tls = client_first = true;
  }
  SUBCASE("the app first") {}
  SUBCASE("the app first, over TLS") {
    tls = true;
  }
  play::Peer client = tls ? play::connect_tls(portherd.tls_port()) : play::connect(portherd.port());
  client.send(kUpgrade);
  play::Peer worker = app.accept();
  worker.read_head();
  worker.send(kSwitched);
  client.read_head();
  if (client_first) {
    client.send("last words");
    client.shut_writing();
    CHECK(worker.read_to_end() == "last words");
    worker.send("and mine");
    CHECK(client.read(8) == "and mine");
    worker.send(std::string(200'000, 'x'));
    worker.close();
    CHECK(client.read_to_end().size() == 200'000);
  } else {
    worker.send("last words");
    worker.shut_writing();
    CHECK(client.read_to_end() == "last words");
    client.send("and mine");
    CHECK(worker.read(8) == "and mine");
    client.send(std::string(200'000, 'x'));
    client.shut_writing();
    CHECK(worker.read_to_end().size() == 200'000);
  }
  portherd.wait_until("the slot is free", [](const play::Status& s) { return s.app("app").busy == 0; });
}

TEST_CASE("an event stream may be silent for longer than a request may") {
  const play::Folder folder;
  folder.certificate("localhost");
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, std::string(play::kPlainAndTls) + "request_timeout = \"1s\"\n");
  play::Peer client = play::connect(portherd.port());
  client.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
  play::Peer worker = app.accept();
  worker.read_head();
  worker.send(kEventStream);
  client.read_head();
  CHECK(client.read(16) == "b\r\ndata: one\n\n\r\n");
  // Another request begins later and has had its whole time when this answer comes.
  CHECK(play::get(portherd.port()).status == 504);
  worker.send("data: two\n\n");
  CHECK(client.read(16) == "b\r\ndata: two\n\n\r\n");
}

TEST_CASE("the client of a gRPC call may be silent for longer than one that sends a body") {
  const play::Folder folder;
  folder.certificate("localhost");
  play::App app(folder, "app.sock");
  auto portherd =
      play::Supervisor::serve(folder, std::string("[front.clocks]\nbody_idle = \"1s\"\n") + play::kPlainAndTls);
  play::Peer client = play::connect(portherd.port());
  client.send(
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3\r\none\r\n");
  play::Peer worker = app.accept();
  worker.read_head();
  CHECK(worker.read(8) == "3\r\none\r\n");
  // Another request begins later and has had its whole time when this one goes on.
  play::Peer other = play::connect(portherd.port());
  other.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpcs\r\nContent-Length: 3\r\n\r\non");
  CHECK(other.read_answer().status == 408);
  CHECK_FALSE(app.has_visitor());
  client.send("3\r\ntwo\r\n");
  CHECK(worker.read(8) == "3\r\ntwo\r\n");
}

TEST_CASE("stream_timeout ends what has been silent for longer, and frees the worker") {
  const play::Folder folder;
  folder.certificate("localhost");
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, std::string(play::kPlainAndTls) + "stream_timeout = \"300ms\"\n");
  play::Peer client = play::connect(portherd.port());
  SUBCASE("a tunnel") {
    client.send(kUpgrade);
    play::Peer worker = app.accept();
    worker.read_head();
    worker.send(kSwitched);
    client.read_head();
    CHECK(client.is_closed_by_peer());
    CHECK(worker.is_closed_by_peer());
    portherd.expect_line("client: stream was silent for too long");
  }
  SUBCASE("an event stream") {
    client.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
    play::Peer worker = app.accept();
    worker.read_head();
    worker.send(kEventStream);
    CHECK_FALSE(client.read_answer().is_whole);
    CHECK(worker.is_closed_by_peer());
    portherd.expect_line("app: worker fell silent in the middle of its answer");
  }
}

TEST_CASE("total_timeout ends an exchange, however busy it is") {
  const play::Folder folder;
  folder.certificate("localhost");
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, std::string(play::kPlainAndTls) + "total_timeout = \"500ms\"\n");
  play::Peer client = play::connect(portherd.port());
  SUBCASE("before the answer: 504") {
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    play::Peer worker = app.accept();
    worker.read_head();
    CHECK(client.read_answer().status == 504);
  }
  SUBCASE("in the middle of it: cut") {
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    play::Peer worker = app.accept();
    worker.read_head();
    worker.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    CHECK_FALSE(client.read_answer().is_whole);
  }
  SUBCASE("a tunnel in which both go on speaking") {
    client.send(kUpgrade);
    play::Peer worker = app.accept();
    worker.read_head();
    worker.send(kSwitched);
    client.read_head();
    std::thread echoes([&] {
      while (worker.discard(1) == 1) worker.send("x");
    });
    do client.send("x");
    while (client.discard(1) == 1);
    echoes.join();
  }
  portherd.expect_line("app: total_timeout was over");
}
