#include <sys/stat.h>

#include <fstream>
#include <thread>
#include <vector>

#include "play.h"

namespace {

constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[log]
access = { path = "$FOLDER/access.log" }
[apps.app]
command = ["$PYTHON", "$APPS/works.py"]
workers = 2
queue_timeout = "1s"
[[apps.app.routes]]
path = "/static/"
files = "$FOLDER/static"
)";

play::Ended order(const play::Supervisor& portherd, play::Arguments arguments) {
  arguments.insert(arguments.begin() + 1, {"-c", portherd.config_file()});
  return play::portherd(arguments);
}

play::Supervisor serve(const play::Folder& folder) {
  ::mkdir((folder / "static").c_str(), 0755);
  folder.write("static/logo", "logo");
  return play::Supervisor::serve(folder, kConfig);
}

/// A request on a connection of its own, whose answer is read later.
play::Peer begin(const play::Supervisor& portherd, const std::string& path) {
  play::Peer peer = play::connect(portherd.port());
  peer.send("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
  return peer;
}

}  // namespace

TEST_CASE("pause: requests wait, those that have a worker are finished, and after resume all are answered") {
  const play::Folder folder;
  auto portherd = serve(folder);
  portherd.wait_ready();
  REQUIRE(::mkfifo((folder / "hold-x").c_str(), 0600) == 0);
  play::Peer running = begin(portherd, "/hold/x");
  portherd.wait_until("it has a worker", [](const play::Status& now) { return now.app("app").busy == 1; });

  const play::Ended paused = order(portherd, {"pause", "app"});
  CHECK(paused.status == 0);
  CHECK_MESSAGE(paused.out.find("until `portherd resume app`, for 60s at the longest") != std::string::npos,
                paused.out);
  std::vector<play::Peer> held;
  for (int i = 0; i < 5; ++i) held.push_back(begin(portherd, "/0"));
  const play::Status now =
      portherd.wait_until("they wait", [](const play::Status& s) { return s.app("app").queue == 5; });
  CHECK(now.app("app").state == "paused");
  CHECK(now.text.find("\"paused_until\": \"") != std::string::npos);
  CHECK(now.exit_status == 0);
  std::ofstream(folder / "hold-x") << "go on\n";
  CHECK(running.read_answer().status == 200);
  portherd.wait_until("nobody else has been served", [](const play::Status& s) {
    return s.app("app").busy == 0 && s.app("app").queue == 5;
  });
  CHECK(order(portherd, {"resume", "app"}).status == 0);
  for (play::Peer& peer : held) CHECK(peer.read_answer().status == 200);
  const play::Status after = portherd.wait_until(
      "it is as before", [](const play::Status& s) { return s.app("app").state == "ready"; });
  CHECK(after.app("app").failed == 0);
  CHECK(order(portherd, {"resume", "app"}).status == 2);
}

TEST_CASE("a pause ends by itself, and queue_timeout begins then") {
  const play::Folder folder;
  auto portherd = serve(folder);
  portherd.wait_ready();
  REQUIRE(order(portherd, {"pause", "app", "--for", "1500ms"}).status == 0);  // longer than queue_timeout
  CHECK(play::get(portherd.port(), "/0").status == 200);
  portherd.expect_line("a pause has taken as long as it may");
}

TEST_CASE("a stop during a pause serves those who wait") {
  const play::Folder folder;
  auto portherd = serve(folder);
  portherd.wait_ready();
  REQUIRE(order(portherd, {"pause", "app"}).status == 0);
  // It leaves with its answer: the pause is over before the drain begins, and a connection that is idle by then is kept
  // until drain_timeout.
  play::Peer held = play::connect(portherd.port());
  held.send("GET /0 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  portherd.wait_until("it waits", [](const play::Status& s) { return s.app("app").queue == 1; });
  CHECK(portherd.stop() == 0);
  CHECK(held.read_answer().status == 200);
}

TEST_CASE("maintenance: 503 with the message and Retry-After, in the log, too; static files are served") {
  const play::Folder folder;
  auto portherd = serve(folder);
  portherd.wait_ready();
  REQUIRE(::mkfifo((folder / "hold-x").c_str(), 0600) == 0);
  play::Peer running = begin(portherd, "/hold/x");
  portherd.wait_until("it has a worker", [](const play::Status& now) { return now.app("app").busy == 1; });

  const play::Ended on = order(portherd, {"maintenance", "on", "app", "--message", "Back at nine.\r\n<b>"});
  CHECK(on.status == 0);
  CHECK(on.out.find("until `portherd maintenance off app`") != std::string::npos);
  const play::Answer answer = play::get(portherd.port(), "/0");
  CHECK(answer.status == 503);
  CHECK(answer.body == "Back at nine.  <b>\n");
  CHECK(answer.field("Content-Type") == "text/plain; charset=utf-8");
  CHECK(answer.field("Retry-After") == "30");
  CHECK(play::get(portherd.port(), "/static/logo").body == "logo");
  CHECK(portherd.status().app("app").state == "maintenance");
  std::ofstream(folder / "hold-x") << "go on\n";
  CHECK(running.read_answer().status == 200);
  CHECK(portherd.status().app("app").ready().size() == 2);
  // A front that comes later knows it, too.
  const pid_t front = portherd.status().front;
  ::kill(front, SIGKILL);
  portherd.wait_until("another front", [&](const play::Status& s) {
    return s.front != 0 && s.front != front && s.app("app").slots > 0;
  });
  CHECK(play::get(portherd.port(), "/0").status == 503);

  CHECK(order(portherd, {"maintenance", "off", "app"}).status == 0);
  CHECK(play::get(portherd.port(), "/0").status == 200);
  CHECK(portherd.status().app("app").failed == 0);
  portherd.wait_until("the access log says so", [&](const play::Status&) {
    return folder.read("access.log").find("app is down for maintenance") != std::string::npos;
  });
}

TEST_CASE("stop APP: its workers finish and go, requests are told so, and start APP brings it back") {
  const play::Folder folder;
  auto portherd = serve(folder);
  const auto before = portherd.wait_ready().app("app").ready();
  REQUIRE(::mkfifo((folder / "hold-x").c_str(), 0600) == 0);
  play::Peer running = begin(portherd, "/hold/x");
  portherd.wait_until("it has a worker", [](const play::Status& now) { return now.app("app").busy == 1; });
  play::Ended stopped;
  std::thread stop([&] { stopped = order(portherd, {"stop", "app"}); });
  // The order is not done before the workers have gone, and until the front has heard of it somebody may get in.
  play::Answer answer;
  portherd.wait_until("it is closed", [&](const play::Status& now) {
    answer = play::get(portherd.port(), "/0");
    return answer.status == 503 && now.app("app").state == "stopped";
  });
  CHECK(answer.body == "This service has been stopped.\n");
  std::ofstream(folder / "hold-x") << "go on\n";
  CHECK(running.read_answer().status == 200);
  stop.join();
  CHECK(stopped.status == 0);
  for (const pid_t pid : before) CHECK_FALSE(play::is_alive(pid));
  CHECK(portherd.status().app("app").workers.empty());
  CHECK(order(portherd, {"pause", "app"}).status == 2);
  const play::Ended restarted = order(portherd, {"restart", "app"});
  CHECK(restarted.status == 2);  // nobody would show that it works
  CHECK(order(portherd, {"start", "app"}).status == 0);
  CHECK(play::get(portherd.port(), "/0").status == 200);  // it has waited for a worker
  CHECK(portherd.wait_ready().app("app").ready().size() == 2);
}

TEST_CASE("an app of workers that somebody else supervises can be paused, but not stopped") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
proxy = ["unix:app.sock"]
)");
  const play::Ended stopped = order(portherd, {"stop", "app"});
  CHECK(stopped.status == 2);
  CHECK(stopped.err.find("`portherd maintenance on app` keeps its clients out") != std::string::npos);
  REQUIRE(order(portherd, {"pause", "app"}).status == 0);
  play::Peer held = begin(portherd, "/");
  portherd.wait_until("it waits", [](const play::Status& s) { return s.app("app").queue == 1; });
  CHECK_FALSE(app.has_visitor());
  CHECK(order(portherd, {"resume", "app"}).status == 0);
  play::Peer worker = app.accept();
  worker.read_head();
  worker.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  CHECK(held.read_answer().status == 200);
}
