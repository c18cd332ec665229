#include <thread>

#include "play.h"

namespace {

using namespace std::string_literals;

constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
https = ["127.0.0.1:$TLS"]
proxy_protocol = ["127.0.0.1:$PORT", "127.0.0.1:$TLS"]
[tls]
certificates = "tls"
[log]
access = { path = "access.log" }
[front]
trusted_proxies = ["127.0.0.1"]
max_connections_per_address = 2
[front.clocks]
handshake = "300ms"
[apps.app]
proxy = ["unix:app.sock"]
plain_http = "serve"
)";

// 203.0.113.9:1024 to 198.51.100.2:443, with a TLV behind it (PP2_TYPE_NOOP).
const std::string kBlock =
    "\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x10\xcb\x00\x71\x09\xc6\x33\x64\x02\x04\x00\x01\xbb\x04\x00\x01\x00"s;
constexpr const char* kRequest = "GET /who HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n";

/// Answers the next request that comes to the app, and gives its head.
std::string serve_one(play::App& app) {
  play::Peer worker = app.accept();
  std::string head = worker.read_head();
  worker.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
  return head;
}

}  // namespace

TEST_CASE("who the client is, is what the PROXY protocol's header says, over plain HTTP") {
  const play::Folder folder;
  folder.certificate("localhost");
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  play::Peer client = play::connect(portherd.port());

  SUBCASE("version 1") {
    client.send("PROXY TCP4 203.0.113.9 198.51.100.2 1024 443\r\n"s + kRequest);
    // The client itself is trusted no more than others: what it says of itself is dropped.
    CHECK(play::field_of(serve_one(app), "X-Forwarded-For") == "203.0.113.9");
    CHECK(client.read_answer().body == "ok");
    client.close();
    portherd.stop();
    CHECK(folder.read("access.log").find("\"client\":\"203.0.113.9\"") != std::string::npos);
  }
  SUBCASE("version 2") {
    client.send(kBlock + kRequest);
    CHECK(play::field_of(serve_one(app), "X-Forwarded-For") == "203.0.113.9");
    CHECK(client.read_answer().body == "ok");
  }
  SUBCASE("IPv6") {
    client.send("PROXY TCP6 2001:db8::7 2001:db8::8 1024 443\r\n"s + kRequest);
    CHECK(play::field_of(serve_one(app), "X-Forwarded-For") == "2001:db8::7");
    CHECK(client.read_answer().body == "ok");
  }
  SUBCASE("the proxy itself is believed: it is what the header says of nobody else (LOCAL)") {
    client.send("\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00"s + kRequest);
    CHECK(play::field_of(serve_one(app), "X-Forwarded-For") == "6.6.6.6, 127.0.0.1");
    CHECK(client.read_answer().body == "ok");
  }
  SUBCASE("a client whom the proxy does not name is not believed in its place (UNKNOWN)") {
    client.send("PROXY UNKNOWN\r\n"s + kRequest);
    CHECK(play::field_of(serve_one(app), "X-Forwarded-For") == "127.0.0.1");
    CHECK(client.read_answer().body == "ok");
  }
}

TEST_CASE("the PROXY protocol's header comes before TLS") {
  const play::Folder folder;
  folder.certificate("localhost");
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  const std::string url = "https://localhost:" + std::to_string(portherd.tls_port()) + "/who";
  // curl: version 1, with its own address.
  for (const std::string version : {"--http1.1", "--http2"}) {
    play::Ended curl;
    std::thread asks([&] {
      curl = play::run({"curl", "-sS", "-k", "--max-time", "60", version, "--haproxy-protocol", "-w",
                        "%{http_version}", url});
    });
    CHECK(play::field_of(serve_one(app), "X-Forwarded-For") == "127.0.0.1");
    asks.join();
    CHECK(curl.out == (version == "--http2" ? "ok2" : "ok1.1"));
  }
  // TLS only shakes hands if not one byte of its own was taken with the header.
  play::Peer client = play::connect(portherd.tls_port());
  client.send(kBlock);
  client.begin_tls();
  client.send(kRequest);
  CHECK(play::field_of(serve_one(app), "X-Forwarded-For") == "203.0.113.9");
  CHECK(client.read_answer().body == "ok");
}

TEST_CASE("a connection without a PROXY protocol header, or with half of one, is closed where one is due") {
  const play::Folder folder;
  folder.certificate("localhost");
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  for (const bool tls : {false, true}) {
    CAPTURE(tls);
    play::Peer without = play::connect(tls ? portherd.tls_port() : portherd.port());
    without.send(kRequest);
    CHECK(without.is_closed_by_peer());
    portherd.expect_line("cause=\"no PROXY protocol header\"");
    play::Peer half = play::connect(tls ? portherd.tls_port() : portherd.port());
    half.send(kBlock.substr(0, 20));
    CHECK(half.is_closed_by_peer());  // after `handshake`
  }
  CHECK_FALSE(app.has_visitor());
}

TEST_CASE("max_connections_per_address counts the clients behind a proxy, not the proxy") {
  const play::Folder folder;
  folder.certificate("localhost");
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  play::Peer one = play::connect(portherd.port());
  one.send(kBlock + kRequest);
  serve_one(app);
  CHECK(one.read_answer().body == "ok");
  play::Peer two = play::connect(portherd.port());
  two.send(kBlock + kRequest);
  serve_one(app);
  CHECK(two.read_answer().body == "ok");
  play::Peer three = play::connect(portherd.port());
  three.send(kBlock + kRequest);
  CHECK(three.is_closed_by_peer());
  play::Peer other = play::connect(portherd.port());
  other.send("PROXY TCP4 203.0.113.10 198.51.100.2 1024 443\r\n"s + kRequest);
  serve_one(app);
  CHECK(other.read_answer().body == "ok");
}

TEST_CASE("only trusted proxies may connect to a proxy_protocol address") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
proxy_protocol = ["127.0.0.1:$PORT"]
[front]
trusted_proxies = ["127.0.0.2"]
[apps.app]
proxy = ["unix:app.sock"]
)");
  play::Peer client = play::connect(portherd.port());
  CHECK(client.is_closed_by_peer());
  portherd.expect_line("a connection was closed at once peer=127.0.0.1");
  CHECK_FALSE(app.has_visitor());
}
