// A route may have rules of its own: limits and clocks for the paths that begin so, while all else keeps the app's. It may
// also lead to another app, by that one's rules.
#include <algorithm>

#include "play.h"

namespace {

constexpr std::string_view kTop = "[listen]\nhttp = [\"127.0.0.1:$PORT\"]\n";
constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

play::Peer ask(std::uint16_t port, std::string_view head, std::string_view body = "") {
  play::Peer client = play::connect(port);
  client.send(std::string(head) + "\r\nHost: a\r\n");
  client.send(body.empty() ? "\r\n" : "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
  return client;
}

}  // namespace

TEST_CASE("a route's max_body holds below its path, the app's elsewhere") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, std::string(kTop) + R"(
[apps.app]
proxy = ["unix:app.sock"]
concurrency = 1
max_body = "10B"
[[apps.app.routes]]
path = "/upload/"
max_body = "20B"
)");
  const std::string body(15, 'x');
  CHECK(ask(portherd.port(), "POST / HTTP/1.1", body).read_answer().status == 413);
  CHECK(ask(portherd.port(), "POST /upload/a HTTP/1.1", std::string(21, 'x')).read_answer().status == 413);

  const auto check_served = [&](play::Peer client) {
    play::Peer worker = app.accept();
    CHECK(worker.read_body(worker.read_head()) == body);
    worker.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");  // the next one may come by another thread
    CHECK(client.read_answer().body == "ok");
  };
  check_served(ask(portherd.port(), "POST /upload/a HTTP/1.1", body));

  // Of a body without a length it shows only while it comes.
  const auto chunked = [&](std::string_view path) {
    play::Peer peer = play::connect(portherd.port());
    peer.send("POST " + std::string(path) + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nf\r\n" + body + "\r\n0\r\n\r\n");
    return peer;
  };
  CHECK(chunked("/").read_answer().status == 413);
  check_served(chunked("/upload/b"));
}

TEST_CASE("a route's stream_body gives the body to the worker while it comes") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, std::string(kTop) + R"(
[apps.app]
proxy = ["unix:app.sock"]
[[apps.app.routes]]
path = "/live"
stream_body = true
)");
  play::Peer client = play::connect(portherd.port());
  client.send("POST /live HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nfirst");
  play::Peer worker = app.accept();
  CHECK(worker.read_head().starts_with("POST /live HTTP/1.1\r\n"));
  CHECK(worker.read(5) == "first");
  client.send("-last");
  CHECK(worker.read(5) == "-last");
  worker.send(kOk);
  CHECK(client.read_answer().body == "ok");
}

TEST_CASE("a route's clocks are its own: request_timeout, queue_timeout") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, std::string(kTop) + R"(
[apps.app]
proxy = ["unix:app.sock"]
concurrency = 1
request_timeout = "1h"
queue_timeout = "1h"
[[apps.app.routes]]
path = "/short"
request_timeout = "300ms"
[[apps.app.routes]]
path = "/now"
queue_timeout = "0s"
)");
  play::Peer stuck = ask(portherd.port(), "GET /short HTTP/1.1");
  CHECK(stuck.read_answer().status == 504);

  play::Peer running = ask(portherd.port(), "GET / HTTP/1.1");
  play::Peer first = app.accept();  // that of the request which ran out of time
  play::Peer worker = app.accept();
  worker.read_head();
  const play::Answer refused = ask(portherd.port(), "GET /now HTTP/1.1").read_answer();
  CHECK(refused.status == 503);
  CHECK_FALSE(refused.field("Retry-After").empty());
  play::Peer waiting = ask(portherd.port(), "GET /later HTTP/1.1");
  worker.send(kOk);
  CHECK(running.read_answer().body == "ok");
  CHECK(worker.read_head().starts_with("GET /later "));
  worker.send(kOk);
  CHECK(waiting.read_answer().body == "ok");
}

TEST_CASE("a route leads to another app, which gets the whole path, has its own rules, and is named in the access log") {
  const play::Folder folder;
  play::App shop(folder, "shop.sock");
  play::App api(folder, "api.sock");
  auto portherd = play::Supervisor::serve(folder, std::string(kTop) + R"(
[log]
access = { path = "access.log" }
[apps.shop]
proxy = ["unix:shop.sock"]
max_body = "5B"
[[apps.shop.routes]]
path = "/api/"
app = "api"
[apps.api]
hosts = ["api.example"]
proxy = ["unix:api.sock"]
max_body = "20B"
)");
  play::Peer client = ask(portherd.port(), "POST /api/a?b HTTP/1.1", "0123456789");
  play::Peer worker = api.accept();
  const std::string head = worker.read_head();
  CHECK(head.starts_with("POST /api/a?b HTTP/1.1\r\n"));
  CHECK(worker.read_body(head) == "0123456789");
  worker.send(kOk);
  CHECK(client.read_answer().body == "ok");
  CHECK(ask(portherd.port(), "POST /api/a HTTP/1.1", std::string(21, 'x')).read_answer().status == 413);
  CHECK(ask(portherd.port(), "POST /api HTTP/1.1", "0123456789").read_answer().status == 413);
  CHECK_FALSE(shop.has_visitor());

  std::string log;
  portherd.wait_until("all three events are written", [&](const play::Status&) {
    log = folder.read("access.log");
    return std::ranges::count(log, '\n') == 3;
  });
  CHECK(log.substr(0, log.find('\n')).find(R"("app":"api")") != log.npos);
}
