#include <sys/resource.h>

#include "play_h2.h"

namespace {

constexpr const char* kGet = "GET /running HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
constexpr const char* kGone = "GET /gone HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
https = ["127.0.0.1:$TLS"]
[tls]
certificates = "tls"
[apps.app]
proxy = ["unix:app.sock"]
plain_http = "serve"
concurrency = 1
queue_size = 1000
queue_timeout = "1h"
request_timeout = "1h"
)";

/// The one slot is taken, until the test lets go.
struct Stage {
  const play::Folder folder;
  play::App app{folder, "app.sock"};
  play::Supervisor portherd = serve();
  play::Peer running = play::connect(portherd.port());
  play::Peer worker = begin();

  play::Supervisor serve() const {
    folder.certificate("localhost");
    return play::Supervisor::serve(folder, kConfig);
  }
  play::Peer begin() {
    running.send(kGet);
    play::Peer taken = app.accept();
    CHECK(taken.read_head().starts_with("GET /running "));
    return taken;
  }
  void wait_for_queue(int length) {
    portherd.wait_until("so many wait in line", [&](const play::Status& status) {
      return status.app("app").queue == length && status.app("app").busy == 1;
    });
  }
  /// The app has seen nothing but /running; now it does, and the next one is /next.
  void finish() {
    worker.send(kOk);
    CHECK(running.read_answer().body == "ok");
    running.send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(worker.read_head().starts_with("GET /next "));
    worker.send(kOk);
    CHECK(running.read_answer().body == "ok");
    CHECK_FALSE(app.has_visitor());
  }
};

void allow_many_connections() {
  struct rlimit files {};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &files) == 0);
  files.rlim_cur = files.rlim_max;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &files) == 0);
}

}  // namespace

TEST_CASE("a thousand clients wait in line and leave: the line is empty, and the app sees none of them") {
  allow_many_connections();
  Stage stage;
  std::vector<play::Peer> clients;
  std::vector<play::h2::Client> sessions;
  const int sessions_wanted = 10, streams_each = 10, single = 900;
  for (int i = 0; i < single; ++i) {
    clients.push_back(play::connect(stage.portherd.port()));
    clients.back().send(i % 4 < 2 ? std::string(kGone) : std::string(kGone) + kGone);  // or another behind it
  }
  for (int i = 0; i < sessions_wanted; ++i) {
    sessions.emplace_back(play::connect(stage.portherd.port()));
    for (std::uint32_t n = 0; n < streams_each; ++n) {
      sessions.back().send(play::h2::frame(
          play::h2::kHeaders, play::h2::kLast, 2 * n + 1,
          play::h2::block(
              {{":method", "GET"}, {":scheme", "http"}, {":path", "/gone"}, {":authority", "a"}})));
    }
  }
  stage.wait_for_queue(single + sessions_wanted * streams_each);

  for (std::size_t i = 0; i < clients.size(); ++i) i % 2 == 0 ? clients[i].close() : clients[i].reset();
  for (std::size_t i = 0; i < sessions.size(); ++i) {
    play::h2::Client& session = sessions[i];
    if (i % 2 == 0) {
      session.peer().close();
      continue;
    }
    for (std::uint32_t n = 0; n < streams_each; ++n) {
      session.send(play::h2::frame(play::h2::kReset, 0, 2 * n + 1, play::h2::number(play::h2::kCancel)));
    }
  }
  stage.wait_for_queue(0);
  stage.finish();
}

TEST_CASE("a client that has said more behind its request is heard when it leaves the line") {
  Stage stage;
  bool tls = false, by_reset = false;
  std::string behind = kGone;
  SUBCASE("a whole request, FIN") {}
  SUBCASE("a whole request, RST") {
    by_reset = true;
  }
  SUBCASE("half a request") {
    behind = "GET /gone HT";
  }
  SUBCASE("a hundred requests") {
    for (int i = 1; i < 100; ++i) behind += kGone;
  }
  SUBCASE("over TLS") {
    tls = true;
  }
  play::Peer client =
      tls ? play::connect_tls(stage.portherd.tls_port()) : play::connect(stage.portherd.port());
  client.send(kGone + behind);
  stage.wait_for_queue(1);
  by_reset ? client.reset() : client.close();
  stage.wait_for_queue(0);
  stage.finish();
}

TEST_CASE("a client that has said more behind its request is heard when it resets what runs") {
  Stage stage;
  stage.running.send(kGet);  // behind the one that runs
  stage.running.reset();
  CHECK(stage.worker.is_closed_by_peer());
}
