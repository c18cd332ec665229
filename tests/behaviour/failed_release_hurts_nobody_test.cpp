// A release whose new code does not work, under load: the generation before serves on, whoever ordered it
// hears why, and no client has noticed.
#include <thread>

#include "play.h"
#include "steady_load.h"

namespace {

constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
https = ["127.0.0.1:$TLS"]
[tls]
certificates = "tls"
[log]
access = "off"
[apps.hello]
wsgi = "hello:app"
python = "$PYTHON"
workers = 2
plain_http = "serve"
health.path = "/healthz"
boot_timeout = "TIMEOUT"
)";
constexpr const char* kWorks = R"(
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "6")])
    return [b"hello\n"]
)";
constexpr const char* kIsUnwell = R"(
def app(environ, start_response):
    start_response("500 Internal Server Error", [("Content-Length", "0")])
    return []
)";
constexpr const char* kRaises = "raise RuntimeError('the new code is broken')\n";
constexpr const char* kHangs =
    "import signal\nprint('the new code hangs', flush=True)\nwhile True: signal.pause()\n";

struct Stage {
  explicit Stage(std::string_view code, const std::string& boot_timeout = "60s")
      : portherd(play::Supervisor::serve(folder, prepare(code, boot_timeout))) {}
  std::string prepare(std::string_view code, const std::string& boot_timeout) const {
    folder.certificate("localhost");
    folder.write("hello.py", code);
    std::string config = kConfig;
    return config.replace(config.find("TIMEOUT"), 7, boot_timeout);
  }
  play::Ended order(const std::string& verb) const {
    return play::portherd({verb, "hello", "-c", portherd.config_file()});
  }
  std::string generations() {
    std::string all;
    for (const auto& worker : portherd.wait_ready().app("hello").workers)
      all += std::to_string(worker.generation) + " ";
    return all;
  }
  play::Folder folder;
  play::Supervisor portherd;
};

// Whose new code is `code`: refused with `why`.
void check_stays(Stage& stage, const char* code, const std::string& why) {
  stage.portherd.wait_ready();
  play::SteadyLoad load(stage.portherd,
                        {.is_answer = [](std::string_view body) { return body == "hello\n"; }});
  load.wait_for(50);
  stage.folder.write("hello.py", code);
  const play::Ended restarted = stage.order("restart");
  CHECK(restarted.status == 1);
  CHECK_MESSAGE(restarted.err.find("generation 2 of app hello did not become ready: ") != std::string::npos,
                restarted.err);
  CHECK_MESSAGE(restarted.err.find("; generation 1 stays") != std::string::npos, restarted.err);
  CHECK_MESSAGE(restarted.err.find(why) != std::string::npos, restarted.err);
  load.wait_for(200);
  CHECK(stage.generations() == "1 1 ");

  stage.folder.write("hello.py", kWorks);
  CHECK(stage.order("restart").status == 0);
  load.wait_for(50);
  load.stop_unhurt();
  CHECK(stage.generations() == "3 3 ");
}

}  // namespace

TEST_CASE("a release that raises at import: its traceback is told, and the generation before serves on") {
  Stage stage(kWorks);
  check_stays(stage, kRaises, "RuntimeError: the new code is broken");
}

TEST_CASE("a release whose health answers 500: the generation before serves on") {
  Stage stage(kWorks, "3s");
  check_stays(stage, kIsUnwell, "GET /healthz answered 500");
}

TEST_CASE("a release that never accepts: the generation before serves on") {
  Stage stage(kWorks, "3s");
  check_stays(stage, kHangs, "boot_timeout");
}

TEST_CASE("a release during a release takes its place, and no request fails") {
  Stage stage(kWorks);
  stage.portherd.wait_ready();
  play::SteadyLoad load(stage.portherd,
                        {.is_answer = [](std::string_view body) { return body == "hello\n"; }});
  stage.folder.write("hello.py", kHangs);
  play::Ended first;
  std::jthread ordering([&] { first = stage.order("restart"); });
  stage.portherd.expect_line("the new code hangs");
  stage.folder.write("hello.py", kWorks);
  const play::Ended second = stage.order("restart");
  ordering.join();
  CHECK(first.status == 1);
  CHECK(first.err.find("generation 2 of app hello is given up: another release has taken its place") != std::string::npos);
  CHECK_MESSAGE(second.status == 0, second.err);
  load.wait_for(50);
  load.stop_unhurt();
  CHECK(stage.generations() == "3 3 ");
}

TEST_CASE("rollback: to the generation before, and a refusal where there is none") {
  Stage stage(kWorks);
  stage.portherd.wait_ready();
  const play::Ended none = stage.order("rollback");
  CHECK(none.status == 1);
  CHECK(none.err == "portherd: app hello has no generation before this one\n");
  play::SteadyLoad load(stage.portherd,
                        {.is_answer = [](std::string_view body) { return body == "hello\n"; }});
  CHECK(stage.order("restart").status == 0);
  CHECK(stage.generations() == "2 2 ");
  CHECK(stage.order("rollback").status == 0);
  CHECK(stage.generations() == "3 3 ");
  load.wait_for(50);
  load.stop_unhurt();
}

TEST_CASE("rollback of a release that is on its way: it is given up, and who serves is left alone") {
  Stage stage(kWorks);
  const auto before = stage.portherd.wait_ready().app("hello").ready();
  stage.folder.write("hello.py", kHangs);
  play::Ended restarted;
  std::jthread ordering([&] { restarted = stage.order("restart"); });
  stage.portherd.expect_line("the new code hangs");
  const play::Ended back = stage.order("rollback");
  ordering.join();
  CHECK(restarted.status == 1);
  CHECK_MESSAGE(back.status == 0, back.err);
  CHECK(stage.portherd.wait_ready().app("hello").ready() == before);
  CHECK(stage.generations() == "1 1 ");
  CHECK(stage.order("rollback").status == 1);  // there is still none before that
}

TEST_CASE("a release whose app is stopped has not come into force; start begins with it, and rollback leads back") {
  Stage stage(kWorks);
  stage.portherd.wait_ready();
  stage.folder.write("hello.py", kHangs);
  play::Ended restarted;
  std::jthread ordering([&] { restarted = stage.order("restart"); });
  stage.portherd.expect_line("the new code hangs");
  CHECK(stage.order("stop").status == 0);
  ordering.join();
  CHECK(restarted.status == 1);
  CHECK_MESSAGE(restarted.err.find("app hello was stopped before generation 2 was in force") != std::string::npos, restarted.err);
  const play::Ended stopped = stage.order("restart");
  CHECK(stopped.status == 2);
  CHECK_MESSAGE(stopped.err.find("`portherd start hello` ends that") != std::string::npos, stopped.err);
  stage.folder.write("hello.py", kWorks);
  CHECK(stage.order("start").status == 0);
  CHECK(stage.generations() == "2 2 ");
  CHECK(stage.order("rollback").status == 0);
  CHECK(stage.generations() == "3 3 ");
}

TEST_CASE("what a reload changes while a release is on its way is kept if that fails") {
  Stage stage(kWorks, "5s");
  stage.portherd.wait_ready();
  stage.folder.write("hello.py", kHangs);
  play::Ended restarted;
  std::jthread ordering([&] { restarted = stage.order("restart"); });
  stage.portherd.expect_line("the new code hangs");
  stage.folder.write("portherd.toml", stage.folder.read("portherd.toml") + "queue_size = 7\n");
  CHECK(play::portherd({"reload", "-c", stage.portherd.config_file()}).status == 0);
  ordering.join();
  CHECK(restarted.status == 1);
  const play::Ended plan = play::portherd({"plan", "-c", stage.portherd.config_file()});
  CHECK(plan.out == "a reload would change no setting\n");
}

TEST_CASE("a release of an app that sleeps is proven by a worker that wakes for it") {
  const play::Folder folder;
  folder.write("hello.py", kWorks);
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.hello]
wsgi = "hello:app"
python = "$PYTHON"
workers = { min = 0, max = 1 }
idle_timeout = "1s"
)");
  const auto restart = [&] { return play::portherd({"restart", "hello", "-c", portherd.config_file()}); };
  const auto wait_asleep = [&] {
    portherd.wait_until("it sleeps", [](const play::Status& now) { return now.app("hello").state == "asleep"; });
  };
  CHECK(play::get(portherd.port()).status == 200);
  wait_asleep();
  folder.write("hello.py", kRaises);
  const play::Ended broken = restart();
  CHECK(broken.status == 1);
  CHECK_MESSAGE(broken.err.find("; generation 1 stays") != std::string::npos, broken.err);
  CHECK_MESSAGE(broken.err.find("RuntimeError: the new code is broken") != std::string::npos, broken.err);
  folder.write("hello.py", kWorks);
  wait_asleep();
  CHECK(restart().status == 0);
  CHECK(portherd.lines_with("a release is in force").size() == 1);
  wait_asleep();
}

TEST_CASE("an app that was broken from the start is restarted with code that works") {
  Stage stage(kRaises);
  stage.portherd.expect_line("RuntimeError: the new code is broken");
  stage.folder.write("hello.py", kWorks);
  const play::Ended restarted = stage.order("restart");
  CHECK_MESSAGE(restarted.status == 0, restarted.err);
  CHECK(play::get(stage.portherd.port()).body == "hello\n");
  CHECK(stage.generations() == "2 2 ");
}

TEST_CASE("stop during a release: all leave, the one that is on its way too") {
  Stage stage(kWorks);
  stage.portherd.wait_ready();
  stage.folder.write("hello.py", kHangs);
  play::Ended restarted;
  std::jthread ordering([&] { restarted = stage.order("restart"); });
  stage.portherd.expect_line("the new code hangs");
  CHECK(stage.portherd.stop() == 0);
  ordering.join();
  CHECK(restarted.status == 1);
  CHECK_MESSAGE(restarted.err.find("everything is ending") != std::string::npos, restarted.err);
}

TEST_CASE(
    "a front that is killed during a release costs no more than what was in flight, and the release goes "
    "on") {
  Stage stage(kWorks);
  const pid_t front = stage.portherd.wait_ready().front;
  constexpr play::Crowd kCrowd{};
  play::SteadyLoad load(stage.portherd,
                        {.is_answer = [](std::string_view body) { return body == "hello\n"; }}, kCrowd);
  load.wait_for(50);
  play::Ended restarted;
  std::jthread ordering([&] { restarted = stage.order("restart"); });
  stage.portherd.expect_line("a worker is being replaced");
  ::kill(front, SIGKILL);
  ordering.join();
  load.wait_for(200);
  CHECK_MESSAGE(restarted.status == 0, restarted.err);
  const play::Tally tally = load.stop();
  MESSAGE(tally.text());
  CHECK(tally.failed + tally.repeated <= kCrowd.requests());
  CHECK(stage.generations() == "2 2 ");
}

TEST_CASE("a worker that is killed while its replacement is on its way: the release fails, and its place is filled") {
  Stage stage(kWorks, "3s");
  stage.portherd.wait_ready();
  play::SteadyLoad load(stage.portherd, {.is_answer = [](std::string_view body) { return body == "hello\n"; }});
  stage.folder.write("hello.py", kHangs);
  play::Ended restarted;
  std::jthread ordering([&] { restarted = stage.order("restart"); });
  stage.portherd.expect_line("the new code hangs");
  const std::string line = stage.portherd.expect_line("a worker is being replaced");
  stage.folder.write("hello.py", kWorks);
  ::kill(std::stoi(line.substr(line.find(" pid=") + 5)), SIGKILL);
  ordering.join();
  CHECK(restarted.status == 1);
  CHECK_MESSAGE(restarted.err.find("; generation 1 stays") != std::string::npos, restarted.err);
  // The other one was replaced meanwhile, by code that works: it is replaced back.
  stage.portherd.wait_until("all are of the generation before", [](const play::Status& now) {
    const auto& workers = now.app("hello").workers;
    return now.all_ready() && workers.size() == 2 && workers[0].generation == 1 && workers[1].generation == 1;
  });
  load.wait_for(50);
  load.stop_unhurt();
}
