// Connections have a limit. At it, those that have been idle for longest go, and nobody who has a request.
#include <sys/stat.h>

#include <cstdlib>

#include "play_h2.h"

namespace {

constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
https = ["127.0.0.1:$TLS"]
[tls]
certificates = "tls"
[front]
threads = 1
max_connections = 16
[front.clocks]
keep_alive = "1h"
handshake = "1h"
head = "1h"
[apps.app]
hosts = ["a"]
proxy = ["unix:app.sock"]
plain_http = "serve"
)";
constexpr std::size_t kMost = 16;
constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";

struct FolderWithTls : play::Folder {
  FolderWithTls() { certificate("localhost"); }
};

struct Play {
  explicit Play(std::string_view config = kConfig)
      : app(folder, "app.sock"), portherd(play::Supervisor::serve(folder, config)) {}

  play::Peer connect() { return play::connect(portherd.port()); }
  /// The worker's end of a request that is in flight.
  play::Peer begin(play::Peer& client) {
    client.send(kRequest);
    play::Peer worker = app.accept();
    worker.read_head();
    return worker;
  }
  static void finish(play::Peer& client, play::Peer& worker) {
    worker.send(kOk);
    CHECK(client.read_answer().body == "ok");
  }
  void is_served(play::Peer& client) {
    play::Peer worker = begin(client);
    finish(client, worker);
  }

  FolderWithTls folder;
  play::App app;
  play::Supervisor portherd;
};

/// While it is there, what is started is a program that starts the real one with few descriptors.
class FewDescriptors {
 public:
  explicit FewDescriptors(std::size_t most) {
    const std::string script = folder_.write(
        "portherd", "#!/bin/sh\nulimit -n " + std::to_string(most) + "\nexec " + before_ + " \"$@\"\n");
    REQUIRE(::chmod(script.c_str(), 0755) == 0);
    ::setenv("PORTHERD_BINARY", script.c_str(), 1);
  }
  ~FewDescriptors() { ::setenv("PORTHERD_BINARY", before_.c_str(), 1); }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;

 private:
  const play::Folder folder_;
  const std::string before_ = play::path_of_portherd();
};

}  // namespace

TEST_CASE("at max_connections the idlest connection makes room for a new one, and requests in flight go on") {
  Play play;
  play::Peer busy = play.connect();
  play::Peer busy_worker = play.begin(busy);

  play::Peer tunnel = play.connect();
  tunnel.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
  play::Peer tunnel_worker = play.app.accept();
  tunnel_worker.read_head();
  tunnel_worker.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
  CHECK(tunnel.read_head().starts_with("HTTP/1.1 101 "));

  using namespace play::h2;
  const auto ask = [](std::uint32_t stream) {
    return frame(kHeaders, kLast, stream,
                 block({{":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", "/"}}));
  };
  Client stream(play.connect());
  stream.send(ask(1));
  play::Peer stream_worker = play.app.accept();
  stream_worker.read_head();

  Client idle_stream(play.connect());
  idle_stream.send(ask(1));
  {
    play::Peer worker = play.app.accept();
    worker.read_head();
    worker.send(kOk);
  }
  CHECK(idle_stream.body(1) == "ok");

  std::vector<play::Peer> idle;
  while (idle.size() + 4 < kMost) {
    idle.push_back(play.connect());
    play.is_served(idle.back());
  }
  play.is_served(idle[0]);  // now idle[1] is the first of these

  // HTTP/2 first, for it was idle before they were: it is told.
  play::Peer first = play.connect();
  play.is_served(first);
  CHECK(idle_stream.next(kGoaway, 0).number(4) == kNoError);
  CHECK_FALSE(idle_stream.next_or_end());
  play::Peer second = play.connect();
  play.is_served(second);
  CHECK(idle[1].is_closed_by_peer());

  for (std::size_t i = 0; i < idle.size(); ++i) {
    if (i != 1) play.is_served(idle[i]);
  }
  Play::finish(busy, busy_worker);
  tunnel.send("hello");
  CHECK(tunnel_worker.read(5) == "hello");
  stream_worker.send(kOk);
  CHECK(stream.body(1) == "ok");
  play.portherd.expect_line("too little room: the idlest connections are closed");
}

TEST_CASE("who never comes to the end of a head does not keep others out, however many they are") {
  Play play;
  std::string first;
  bool over_tls = false;
  SUBCASE("they say nothing") {}
  SUBCASE("slow heads") {
    first = "GET / HTTP/1.1\r\nHost: ";
  }
  SUBCASE("half a frame of HTTP/2") {
    first = play::h2::preface() + std::string("\0\0\x10\1\4", 5);
  }
  SUBCASE("HEADERS without END_HEADERS") {
    first = play::h2::preface() +
            play::h2::frame(play::h2::kHeaders, 0, 1, play::h2::block({{":method", "GET"}}));
  }
  SUBCASE("handshakes that do not begin") {
    over_tls = true;
  }
  std::vector<play::Peer> slow;
  for (std::size_t i = 0; i < 3 * kMost; ++i) {
    slow.push_back(over_tls ? play::connect(play.portherd.tls_port()) : play.connect());
    slow.back().send(first);
  }
  play::Peer client = over_tls ? play::connect_tls(play.portherd.tls_port()) : play.connect();
  play.is_served(client);
}

TEST_CASE("when all have a request in flight, who comes waits until one of them is idle") {
  Play play;
  std::vector<std::pair<play::Peer, play::Peer>> busy;
  while (busy.size() < kMost) {
    play::Peer client = play.connect();
    play::Peer worker = play.begin(client);
    busy.emplace_back(std::move(client), std::move(worker));
  }
  play::Peer next = play.connect();
  next.send(kRequest);
  CHECK_FALSE(play.app.has_visitor());
  Play::finish(busy[3].first, busy[3].second);
  play::Peer worker = play.app.accept();
  worker.read_head();
  Play::finish(next, worker);
  CHECK(busy[3].first.is_closed_by_peer());
  for (std::size_t i = 0; i < kMost; ++i) {
    if (i != 3) Play::finish(busy[i].first, busy[i].second);
  }
}

TEST_CASE("when descriptors run out before that, the idlest connection gives its own") {
  constexpr std::size_t kDescriptors = 128;
  const FewDescriptors few(kDescriptors);
  Play play(R"(
[listen]
http = ["127.0.0.1:$PORT"]
[front]
threads = 1
max_connections = 1000
)");
  std::vector<play::Peer> clients;
  while (clients.size() < kDescriptors) {
    clients.push_back(play.connect());
    clients.back().send("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(clients.back().read_answer().status == 405);
  }
  CHECK(clients.front().is_closed_by_peer());
}
