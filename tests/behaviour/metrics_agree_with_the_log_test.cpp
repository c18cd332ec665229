#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "play.h"
#include "prometheus.h"

namespace {

constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[front]
threads = 2
[metrics]
listen = "127.0.0.1:$TLS"
[log]
access = { path = "access.log" }
[apps.codes]
hosts = ["codes"]
wsgi = "codes:app"
python = "$PYTHON"
[apps.elsewhere]
hosts = ["elsewhere"]
proxy = ["unix:elsewhere.sock"]
[apps.files]
hosts = ["files"]
[[apps.files.routes]]
files = "public"
)";

// Answers /404 with 404.
constexpr const char* kCodes = R"(
def app(environ, start_response):
    start_response(environ["PATH_INFO"][1:] + " As Asked", [("Content-Length", "0")])
    return []
)";

// What the access log says, by app and status; and the sum of its times.
struct Log {
  std::map<std::pair<std::string, int>, double> requests;
  std::map<std::string, double> number, seconds;
  double all = 0;
};

Log read_log(const play::Folder& folder) {
  Log log;
  const std::string text = folder.read("access.log");
  for (std::size_t begin = 0, end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const auto event = nlohmann::json::parse(text.substr(begin, end - begin));
    const auto app = event["app"].get<std::string>();
    ++log.requests[{app, event["status"].get<int>()}];
    ++log.number[app];
    log.seconds[app] += event["total_ms"].get<double>() / 1000;
    ++log.all;
  }
  return log;
}

prometheus::Page metrics(const play::Supervisor& portherd) {
  const play::Answer answer = play::get(portherd.tls_port(), "/metrics");
  CHECK(answer.status == 200);
  CHECK(answer.field("Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
  prometheus::Page page = prometheus::parse(answer.body);
  CHECK(page.faults == std::vector<std::string>{});
  return page;
}

void check_agree(const prometheus::Page& page, const Log& log) {
  for (const auto& [key, number] : log.requests) {
    CAPTURE(key.first);
    CAPTURE(key.second);
    CHECK(page.sum("portherd_requests_total", {{"app", key.first}, {"code", std::to_string(key.second)}}) ==
          number);
  }
  CHECK(page.sum("portherd_requests_total") == log.all);
  for (const auto& [app, number] : log.number) {
    if (app.empty()) continue;  // a request that found none has no histogram
    CAPTURE(app);
    CHECK(page.sum("portherd_request_duration_seconds_count", {{"app", app}}) == number);
    const double seconds = page.sum("portherd_request_duration_seconds_sum", {{"app", app}});
    CHECK(std::abs(seconds - log.seconds.at(app)) < 1e-6 * log.all);  // both are made of whole microseconds
  }
}

void check_never_fell(const prometheus::Page& before, const prometheus::Page& after) {
  for (const prometheus::Sample& sample : before.samples) {
    const auto type = before.types.find(sample.name);
    if (type != before.types.end() && type->second == "gauge") continue;
    CAPTURE(sample.name);
    CHECK(after.sum(sample.name, sample.labels) >= sample.value);
  }
}

// Of everything a little. Returns how many events it makes.
std::size_t ask(const play::Supervisor& portherd, play::App& elsewhere) {
  std::size_t asked = 0;
  for (const int status : {200, 200, 201, 404, 500, 503, 599}) {
    CHECK(play::get(portherd.port(), "/" + std::to_string(status), "codes").status == status);
    ++asked;
  }
  CHECK(play::get(portherd.port(), "/there", "files").status == 200);
  CHECK(play::get(portherd.port(), "/not-there", "files").status == 404);
  CHECK(play::get(portherd.port(), "/", "nobody").status == 404);
  play::Peer stranger = play::connect(portherd.port());
  stranger.send("what is this?\r\n\r\n");
  CHECK(stranger.read_answer().status == 400);
  play::Peer leaves = play::connect(portherd.port());
  leaves.send("GET / HTTP/1.1\r\nHost: elsewhere\r\n\r\n");
  play::Peer worker = elsewhere.accept();
  worker.read_head();
  leaves.reset();
  CHECK(worker.is_closed_by_peer());
  return asked + 5;
}

play::Supervisor serve(const play::Folder& folder) {
  folder.write("codes.py", kCodes);
  folder.write("public/there", "here");
  return play::Supervisor::serve(folder, kConfig);
}

play::Status wait_for_worker(play::Supervisor& portherd, pid_t other_than = 0) {
  return portherd.wait_until("a worker is ready", [&](const play::Status& status) {
    const play::Status::App& app = status.app("codes");
    return app.state == "ready" && app.workers[0].pid != other_than;
  });
}

Log wait_for_log(play::Supervisor& portherd, const play::Folder& folder, std::size_t lines) {
  Log log;
  portherd.wait_until("every request is in the log", [&](const play::Status&) {
    log = read_log(folder);
    return log.all >= static_cast<double>(lines);
  });
  return log;
}

}  // namespace

TEST_CASE(
    "the figures are the access log's sums, also across crashes of the front, and no counter ever falls") {
  const play::Folder folder;
  play::App elsewhere(folder, "elsewhere.sock");
  auto portherd = serve(folder);
  pid_t front = wait_for_worker(portherd).front;

  std::size_t asked = 0;
  prometheus::Page before;
  for (int life = 1; life <= 6; ++life) {  // more fronts than have a place of their own
    CAPTURE(life);
    asked += ask(portherd, elsewhere);
    const Log log = wait_for_log(portherd, folder, asked);
    CHECK(log.all == asked);
    const prometheus::Page page = metrics(portherd);
    check_agree(page, log);
    check_never_fell(before, page);
    CHECK(page.sum("portherd_abandoned_total", {{"app", "elsewhere"}}) == life);
    CHECK(page.sum("portherd_first_byte_seconds_count", {{"app", "codes"}}) == 7 * life);
    CHECK(page.sum("portherd_queue_wait_seconds_count", {{"app", "codes"}}) == 7 * life);

    ::kill(front, SIGKILL);
    front =
        portherd
            .wait_until("another front runs",
                        [&](const play::Status& status) { return status.front > 0 && status.front != front; })
            .front;
    before = page;
    const prometheus::Page after = metrics(portherd);
    check_agree(after, log);
    check_never_fell(page, after);
    CHECK(after.sum("portherd_requests_in_flight") == 0);
  }
  const play::Status status = portherd.status();
  CHECK(status.app("codes").served == 7 * 6);
}

TEST_CASE("the ends of workers are counted by reason, and their states told") {
  const play::Folder folder;
  auto portherd = serve(folder);
  const pid_t worker = wait_for_worker(portherd).app("codes").workers[0].pid;
  CHECK(metrics(portherd).sum("portherd_workers", {{"app", "codes"}, {"state", "ready"}}) == 1);
  ::kill(worker, SIGKILL);
  wait_for_worker(portherd, worker);
  const prometheus::Page page = metrics(portherd);
  CHECK(page.sum("portherd_worker_exits_total", {{"app", "codes"}}) == 1);
  CHECK(page.sum("portherd_worker_exits_total", {{"app", "codes"}, {"reason", "killed"}}) == 1);
  CHECK(page.sum("portherd_workers", {{"app", "codes"}, {"state", "ready"}}) == 1);
  CHECK(page.sum("portherd_workers", {{"app", "codes"}}) == 1);
}

TEST_CASE(
    "TLS handshakes are counted by result, and each certificate tells when it is over; at a Unix socket, "
    "too") {
  const play::Folder folder;
  folder.certificate("a.example");
  folder.write("public/there", "here");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
https = ["127.0.0.1:$TLS"]
[tls]
certificates = "tls"
[metrics]
listen = "unix:metrics.sock"
[apps.files]
[[apps.files.routes]]
files = "public"
)");
  const auto ask = [&] {
    play::Peer probe = play::connect_unix(folder / "metrics.sock");
    probe.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return prometheus::parse(probe.read_answer().body);
  };
  for (int i = 0; i < 3; ++i) {
    play::Peer client = play::connect_tls(portherd.tls_port(), "a.example");
    client.send("GET /there HTTP/1.1\r\nHost: a.example\r\n\r\n");
    CHECK(client.read_answer().body == "here");
  }
  play::Peer stranger = play::connect(portherd.tls_port());
  stranger.send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
  stranger.read_to_end();

  const prometheus::Page page = ask();
  CHECK(page.faults == std::vector<std::string>{});
  CHECK(page.sum("portherd_tls_handshakes_total", {{"result", "ok"}}) == 3);
  CHECK(page.sum("portherd_tls_handshakes_total", {{"result", "failed"}}) == 1);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const double today = std::chrono::duration<double>(now).count(), day = 24 * 60 * 60;
  const double expiry = page.sum("portherd_certificate_expiry_seconds", {{"name", "a.example"}});
  CHECK(expiry > today + 28 * day);  // it was made for 30 days
  CHECK(expiry < today + 31 * day);
}
