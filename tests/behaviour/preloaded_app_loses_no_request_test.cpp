// `preload = true`: workers are forked from a zygote that has imported the app, and whatever becomes of either of
// them, no client notices.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "play.h"
#include "steady_load.h"

namespace {

using Json = nlohmann::json;

constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[log]
access = "off"
[apps.hello]
wsgi = "hello:app"
python = "$PYTHON"
workers = 3
preload = true
post_fork = "hello:begin"
env = { VERSION = "1" }
)";
constexpr const char* kHello = R"(
import os
imported_by = os.getpid()
begun = "not begun"
weight = [bytearray(1000) for _ in range(40000)]

def begin():
    global begun
    begun = "begun"

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [("%s %d %s" % (begun, imported_by, os.environ["VERSION"])).encode()]
)";

struct Zygote {
  pid_t pid = 0;
  int generation = 0;
  std::uint64_t memory = 0, pss = 0, shared = 0;
};

struct Stage {
  explicit Stage(std::string_view code = kHello, const std::string& config = kConfig) : portherd(serve(code, config)) {}
  play::Supervisor serve(std::string_view code, const std::string& config) const {
    folder.write("hello.py", code);
    std::filesystem::copy_file(play::path_of_portherd(), folder / "portherd");  // for upgrades
    return play::Supervisor::serve(folder, config);
  }
  play::Ended order(play::Arguments arguments) const {
    arguments.insert(arguments.end(), {"-c", portherd.config_file()});
    return play::portherd(arguments);
  }
  void change(const std::string& from, const std::string& to) const {
    std::string config = folder.read("portherd.toml");
    REQUIRE(config.find(from) != std::string::npos);
    folder.write("portherd.toml", config.replace(config.find(from), from.size(), to));
  }
  Json app() { return Json::parse(portherd.status().text).at("apps").at(0); }
  std::vector<Zygote> zygotes() {
    std::vector<Zygote> all;
    const Json now = app();
    for (const Json& one : now.at("zygotes"))
      all.push_back({one.at("pid"), one.at("generation"), one.at("memory"), one.at("pss"), one.at("shared")});
    return all;
  }
  std::vector<pid_t> workers() { return portherd.wait_ready().app("hello").ready(); }
  /// Who has imported the app for the worker that answers.
  pid_t imported_by() const { return std::stoi(play::get(portherd.port()).body.substr(6)); }
  void kill_a_worker() {
    const std::vector<pid_t> before = workers();
    REQUIRE(::kill(before[0], SIGKILL) == 0);
    portherd.wait_until("another has its place", [&](const play::Status& now) {
      const std::vector<pid_t> ready = now.app("hello").ready();
      return ready.size() == before.size() && std::ranges::find(ready, before[0]) == ready.end();
    });
  }
  bool is_generation(int wanted) {
    const auto& workers = portherd.wait_ready().app("hello").workers;
    return std::ranges::all_of(workers, [&](const auto& worker) { return worker.generation == wanted; });
  }

  play::Folder folder;
  play::Supervisor portherd;
};

bool is_begun(std::string_view body) { return body.starts_with("begun "); }

}  // namespace

TEST_CASE("the app is imported once, its hook is called in each worker, and they share its memory") {
  Stage stage;
  CHECK(stage.workers().size() == 3);
  std::set<std::string> answers;
  for (int i = 0; i < 6; ++i) answers.insert(play::get(stage.portherd.port()).body);
  const std::vector<Zygote> zygotes = stage.zygotes();
  REQUIRE(zygotes.size() == 1);
  CHECK(answers == std::set<std::string>{"begun " + std::to_string(zygotes[0].pid) + " 1"});
  const Json app = stage.app();
  std::uint64_t all = zygotes[0].pss;
  for (const Json& worker : app.at("workers")) {
    CHECK(worker.at("shared").get<std::uint64_t>() > 30'000'000);
    CHECK(worker.at("pss").get<std::uint64_t>() < worker.at("memory").get<std::uint64_t>());
    all += worker.at("pss").get<std::uint64_t>();
  }
  if (!play::is_sanitized()) CHECK(all < 90'000'000);  // the weight is 40 MB
  CHECK(stage.order({"status", "hello"}).out.find("\nzygote -") != std::string::npos);
}

TEST_CASE("under load workers and their zygote are killed, and the next one starts another") {
  Stage stage;
  stage.workers();
  play::SteadyLoad load(stage.portherd, {.is_answer = is_begun}, play::kPlainCrowd);
  load.wait_for(50);
  const pid_t zygote = stage.zygotes().at(0).pid;
  stage.kill_a_worker();
  CHECK(stage.zygotes().at(0).pid == zygote);
  const std::vector<pid_t> before = stage.workers();
  REQUIRE(::kill(zygote, SIGKILL) == 0);
  stage.portherd.expect_line("a zygote has ended");
  load.wait_for(50);
  CHECK(stage.workers() == before);
  CHECK(stage.zygotes().empty());
  stage.kill_a_worker();
  CHECK(stage.zygotes().at(0).pid != zygote);
  CHECK(stage.zygotes().at(0).generation == 1);
  load.wait_for(50);
  const play::Tally tally = load.stop();
  CHECK_MESSAGE(tally.failed == 0, tally.text());  // a GET that was in flight in a worker that was killed is repeated
}

TEST_CASE("a restart and a rollback import anew, under load") {
  Stage stage;
  stage.workers();
  play::SteadyLoad load(stage.portherd, {.is_answer = is_begun}, play::kPlainCrowd);
  load.wait_for(50);
  const pid_t first = stage.imported_by();
  CHECK(stage.order({"restart", "hello"}).status == 0);
  load.wait_for(50);
  const pid_t second = stage.imported_by();
  CHECK(second != first);
  stage.portherd.wait_until("those before have left", [](const play::Status& now) { return now.text.find(R"("extras": [])") != std::string::npos; });
  CHECK_FALSE(play::is_alive(first));
  CHECK(stage.zygotes().size() == 1);
  CHECK(stage.order({"rollback", "hello"}).status == 0);
  CHECK(stage.is_generation(3));
  CHECK(stage.imported_by() != second);
  load.stop_unhurt();
}

TEST_CASE("a reload that changes only preload replaces the workers, there and back") {
  Stage stage;
  stage.workers();
  play::SteadyLoad load(stage.portherd, {}, play::kPlainCrowd);
  load.wait_for(20);
  stage.change("preload = true\npost_fork = \"hello:begin\"", "preload = false");
  CHECK(stage.order({"reload"}).status == 0);
  CHECK(stage.is_generation(2));
  CHECK(play::get(stage.portherd.port()).body.starts_with("not begun "));
  stage.portherd.wait_until("the zygote has gone", [](const play::Status& now) { return now.text.find(R"("zygotes": [])") != std::string::npos; });
  stage.change("preload = false", "preload = true\npost_fork = \"hello:begin\"");
  CHECK(stage.order({"reload"}).status == 0);
  CHECK(stage.is_generation(3));
  CHECK(play::get(stage.portherd.port()).body.starts_with("begun "));
  load.stop_unhurt();
}

TEST_CASE("an upgrade hands the zygote on: workers of the next program are forked from it") {
  Stage stage;
  const std::vector<pid_t> before = stage.workers();
  play::SteadyLoad load(stage.portherd, {.is_answer = is_begun}, play::kPlainCrowd);
  load.wait_for(50);
  const pid_t zygote = stage.zygotes().at(0).pid;
  CHECK(stage.order({"upgrade"}).status == 0);
  load.wait_for(50);
  CHECK(stage.workers() == before);
  CHECK(stage.zygotes().at(0).pid == zygote);
  CHECK(stage.order({"scale", "hello", "5"}).status == 0);
  stage.portherd.wait_until("five are ready", [](const play::Status& now) { return now.app("hello").ready().size() == 5; });
  for (int i = 0; i < 10; ++i) CHECK(stage.imported_by() == zygote);
  load.stop_unhurt();
  CHECK(stage.order({"restart", "hello"}).status == 0);
  play::wait_gone(zygote);
}

TEST_CASE("an upgrade while a zygote imports begins with another one") {
  Stage stage(std::string(kHello) + R"(
try:
    open("hold").read()
except FileNotFoundError:
    pass
)");
  const std::vector<pid_t> before = stage.workers();
  play::SteadyLoad load(stage.portherd, {.is_answer = is_begun}, play::kPlainCrowd);
  load.wait_for(20);
  REQUIRE(::mkfifo((stage.folder / "hold").c_str(), 0600) == 0);
  REQUIRE(::kill(stage.zygotes().at(0).pid, SIGKILL) == 0);
  stage.portherd.expect_line("a zygote has ended");
  REQUIRE(::kill(before[0], SIGKILL) == 0);
  stage.portherd.wait_until("another one imports", [](const play::Status& now) {
    return now.app("hello").ready().size() == 2 && now.text.find(R"("zygotes": [])") == std::string::npos;
  });
  const pid_t importing = stage.zygotes().at(0).pid;
  CHECK(stage.order({"upgrade"}).status == 0);
  load.wait_for(20);
  const std::filesystem::path hold = stage.folder / "hold";
  std::ofstream go_on(hold);  // it reads until this is closed
  std::filesystem::remove(hold);
  go_on.close();
  CHECK(stage.workers().size() == 3);
  CHECK(stage.zygotes().at(0).pid != importing);
  play::wait_gone(importing);
  const play::Tally tally = load.stop();
  CHECK_MESSAGE(tally.failed == 0, tally.text());
}

TEST_CASE("what cannot be forked is refused with the threads' names, and the generation before stays") {
  Stage stage;
  stage.workers();
  play::SteadyLoad load(stage.portherd, {.is_answer = is_begun}, play::kPlainCrowd);
  load.wait_for(20);
  stage.folder.write("hello.py", std::string(kHello) + R"(
import threading
threading.Thread(target=threading.Event().wait, name="price-watcher", daemon=True).start()
)");
  const play::Ended restarted = stage.order({"restart", "hello"});
  CHECK(restarted.status == 1);
  CHECK(restarted.err.find("has started 1 thread (price-watcher)") != std::string::npos);
  CHECK(restarted.err.find("preload = false") != std::string::npos);
  CHECK(stage.is_generation(1));
  stage.folder.write("hello.py", "raise RuntimeError('the new code is broken')\n");
  const play::Ended broken = stage.order({"restart", "hello"});
  CHECK(broken.status == 1);
  CHECK(broken.err.find("RuntimeError: the new code is broken") != std::string::npos);
  CHECK(stage.zygotes().size() == 1);
  load.stop_unhurt();
}

TEST_CASE("an import without end is over with boot_timeout, and nobody is left of it") {
  Stage stage("import signal\nprint('importing', flush=True)\nwhile True: signal.pause()\n",
              std::string(kConfig) + "boot_timeout = \"1s\"\n");
  stage.portherd.expect_line("its zygote has forked no worker within boot_timeout");
  CHECK(stage.portherd.stop() == 0);
}

TEST_CASE("an app that sleeps has no zygote, and is woken by one") {
  std::string config = kConfig;
  config.replace(config.find("workers = 3"), 11, "workers = { min = 0, max = 2 }\nidle_timeout = \"1s\"");
  Stage stage(kHello, config);
  CHECK(is_begun(play::get(stage.portherd.port()).body));
  const pid_t zygote = stage.zygotes().at(0).pid;
  play::wait_gone(zygote);
  CHECK(is_begun(play::get(stage.portherd.port()).body));
}

TEST_CASE("as root a zygote and its workers are the app's user") {
  if (::geteuid() != 0) return;
  Stage stage(kHello, std::string(kConfig) + "user = \"nobody\"\n");
  std::vector<pid_t> all = stage.workers();
  all.push_back(stage.zygotes().at(0).pid);
  for (const pid_t pid : all) {
    struct stat about{};
    REQUIRE(::stat(("/proc/" + std::to_string(pid)).c_str(), &about) == 0);
    CHECK(about.st_uid != 0);
  }
  CHECK(is_begun(play::get(stage.portherd.port()).body));
}

TEST_CASE("a supervisor that dies takes zygotes and workers along") {
  Stage stage;
  const std::vector<pid_t> workers = stage.workers();
  const pid_t zygote = stage.zygotes().at(0).pid;
  stage.portherd.leave_to_die();
  stage.portherd.signal(SIGKILL);
  CHECK(stage.portherd.wait_exit() == -SIGKILL);
  play::wait_gone(zygote);
  for (const pid_t worker : workers) play::wait_gone(worker);
}
