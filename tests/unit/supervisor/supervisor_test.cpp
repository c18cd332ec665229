// A whole supervisor with a front that only speaks orders: it answers Started, finds workers ready by a
// connect, says what the test writes into a pipe, and notes what it hears in a file. The real front is tried in
// tests/behaviour/.
#include "supervisor/supervisor.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "conf/limits.h"
#include "conf/program.h"
#include "doctest_precompiled.h"
#include "supervisor/control_client.h"

using namespace supervisor;
using Json = nlohmann::json;

namespace {

constexpr const char* kFront = R"(
import json, os, select, socket, sys
channel = socket.socket(fileno=3)
channel.setblocking(True)
def say(**order): channel.send(json.dumps(order).encode())
asked = []
said = os.open(sys.argv[2], os.O_RDWR)
def ask(order):
    try:
        worker = socket.socket(socket.AF_UNIX)
        worker.connect(order["socket"])
        say(order="probed", app=order["app"], worker=order["id"], is_ready=True, cause="")
        return True
    except OSError: return False
while True:
    asked = [order for order in asked if not ask(order)]
    there = select.select([channel, said], [], [], 0.01 if asked else None)[0]
    if said in there:
        for order in os.read(said, 4096).splitlines(): channel.send(order)
    if channel not in there: continue
    text, fds, flags, address = socket.recv_fds(channel, 65536, 64)
    if not text: break
    order = json.loads(text)
    with open(sys.argv[1], "a") as notes: notes.write("%d %s %s\n" % (os.getpid(), order["order"], order.get("text", order.get("id", order.get("unexpected", "")))))
    for fd in fds: os.close(fd)
    if order["order"] == "begin": say(order="started", threads=0, landlock=0, unfenced="")
    if order["order"] == "probe" and not order["path"]: asked.append(order)
    if order["order"] == "ended": asked = [other for other in asked if other["id"] != order["worker"]]
    if order["order"] == "drain": break
)";

// One supervisor in this process, and a thread that plays the operator.
struct Stage {
  Stage() {
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    std::filesystem::permissions(folder, std::filesystem::perms::all);  // the front is not root when we are
    settings.control.socket = folder + "/control.sock";
    settings.log.access.is_on = false;
    settings.log.error.path = folder + "/error.log";
    settings.front.threads.number = 1;
    settings.front.drain_timeout = std::chrono::milliseconds(5000);
    settings.listen.http.push_back(*conf::parse_address("127.0.0.1:0"));
    const auto python = conf::find_program("python3", "/usr/bin:/bin:/usr/local/bin", "/");
    REQUIRE(python.has_value());
    front = {.path = *python, .arguments = {"-c", kFront, folder + "/notes", folder + "/said"}};
    REQUIRE(::mkfifo((folder + "/said").c_str(), 0600) == 0);
    std::filesystem::permissions(folder + "/said", std::filesystem::perms::all);
  }
  ~Stage() { std::filesystem::remove_all(folder); }

  conf::App& app(const std::string& script) {
    conf::App& made = settings.apps.emplace_back();
    made.name = "shop";
    made.directory = "/";
    made.command = {"/bin/sh", "-c", script};
    made.graceful_timeout = std::chrono::milliseconds(5000);
    return made;
  }

  // The exit status of the supervisor; `operate` runs beside it.
  int run(const std::function<void()>& operate, bool is_run = false) {
    conf::settle(settings);
    auto made = Supervisor::make(settings, {.is_run = is_run, .front = front});
    REQUIRE_MESSAGE(made.has_value(), made.error().text());
    std::thread operating(operate);
    const int status = (*made)->run();
    made->reset();
    operating.join();
    return status;
  }

  Json status() const {
    const auto reply = ask(settings.control.socket, "status");
    return reply ? Json::parse(reply->text) : Json();
  }

  // Asks until it is so. Gives up with an empty answer after a minute: the checks that follow fail then.
  Json wait_until(const std::function<bool(const Json&)>& it_is_so) const {
    const auto patience = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (std::chrono::steady_clock::now() < patience) {
      Json now = status();  // a round trip to the supervisor's loop: it has turned since the last look
      if (now.is_object() && it_is_so(now)) return now;
      std::this_thread::yield();
    }
    return Json::object();
  }

  static bool is_ready(const Json& status) {
    return status["apps"][0]["state"] == "ready" && !status["front"]["pid"].is_null();
  }
  void stop() const {
    const auto reply = ask(settings.control.socket, "stop");
    CHECK(reply.has_value());
  }

  // Orders of the front, in one piece.
  void say(const std::vector<Json>& orders) const {
    const runtime::Fd pipe(::open((folder + "/said").c_str(), O_WRONLY | O_CLOEXEC));
    std::string text;
    for (const Json& order : orders) text += order.dump() + "\n";
    CHECK(::write(pipe.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  // Until our side has written this into a file.
  void wait_for(const std::string& file, std::string_view text) const {
    wait_until([&](const Json&) { return read(file).find(text) != std::string::npos; });
  }

  std::string read(const std::string& name) const {
    std::ifstream file(folder + "/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::string folder = "/tmp/portherd-stage-XXXXXX";
  conf::Settings settings;
  FrontProgram front;
};

std::size_t count(std::string_view text, std::string_view what) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string_view::npos; at += what.size()) ++n;
  return n;
}

bool has(std::string_view text, std::string_view what) {
  return text.find(what) != std::string_view::npos;
}

bool is_gone(pid_t pid) {
  return ::kill(pid, 0) != 0 && errno == ESRCH;
}

constexpr const char* kServes = "exec sleep 1000";

}  // namespace

TEST_CASE("a supervisor starts a front and workers, says so, and ends them all when told to stop") {
  Stage stage;
  stage.app(kServes).workers = conf::Workers::fixed(3);
  Json ready;
  const int status = stage.run([&] {
    ready = stage.wait_until(Stage::is_ready);
    stage.stop();
  });
  CHECK(status == 0);
  CHECK(ready["supervisor"]["pid"] == ::getpid());
  REQUIRE(ready["apps"][0]["workers"].size() == 3);
  for (int i = 0; i < 3; ++i) {
    const Json& worker = ready["apps"][0]["workers"][i];
    CHECK(worker["slot"] == i + 1);
    CHECK(worker["state"] == "ready");
    CHECK(worker["memory"].is_number());
    CHECK(is_gone(worker["pid"].get<pid_t>()));
  }
  CHECK(is_gone(ready["front"]["pid"].get<pid_t>()));
  CHECK(count(stage.read("notes"), " configure ") == 1);
  CHECK(count(stage.read("notes"), " spool ") == 1);
  CHECK(count(stage.read("notes"), " publish ") == 3);
  CHECK(count(stage.read("notes"), " drain ") == 1);
}

TEST_CASE("a front that dies is followed by another, which is told of the same workers") {
  Stage stage;
  stage.app(kServes).workers = conf::Workers::fixed(2);
  Json before, after;
  const int status = stage.run([&] {
    before = stage.wait_until(Stage::is_ready);
    ::kill(before["front"]["pid"].get<pid_t>(), SIGKILL);
    after = stage.wait_until([&](const Json& now) {
      const Json& pid = now["front"]["pid"];
      return !pid.is_null() && pid != before["front"]["pid"] &&
             count(stage.read("notes"), pid.dump() + " begin ") == 1;
    });
    stage.stop();
  });
  CHECK(status == 0);
  REQUIRE(after.contains("front"));
  for (int i = 0; i < 2; ++i)
    CHECK(before["apps"][0]["workers"][i]["pid"] == after["apps"][0]["workers"][i]["pid"]);
  CHECK(count(stage.read("notes"), after["front"]["pid"].dump() + " publish ") == 2);
  CHECK(count(stage.read("notes"), before["front"]["pid"].dump() + " app ") == 0);
  CHECK(count(stage.read("notes"), after["front"]["pid"].dump() + " app ") == 1);  // that it has been ready
  CHECK(stage.read("error.log")
            .find("the front has ended: starting another pid=" + before["front"]["pid"].dump() +
                  " exit=\"killed from outside (SIGKILL)\"") != std::string::npos);
}

TEST_CASE("no front is started without a certificate for https, and the log says which one is missing") {
  Stage stage;
  stage.app(kServes);
  stage.settings.listen.https.push_back(*conf::parse_address("127.0.0.1:0"));
  stage.settings.tls.certificates = stage.folder + "/tls";
  std::filesystem::create_directory(stage.folder + "/tls");
  for (const char* name : {"/tls/a.crt", "/tls/a.key"})
    std::ofstream(stage.folder + name) << "never looked into";
  Json before, after;
  const int status = stage.run([&] {
    before = stage.wait_until(Stage::is_ready);
    std::filesystem::rename(stage.folder + "/tls/a.key", stage.folder + "/a.key");
    ::kill(before["front"]["pid"].get<pid_t>(), SIGKILL);
    stage.wait_until(
        [&](const Json&) { return has(stage.read("error.log"), "the front cannot be started"); });
    std::filesystem::rename(stage.folder + "/a.key", stage.folder + "/tls/a.key");
    // Whoever watches the folder may tell it of the key once more.
    after = stage.wait_until([&](const Json& now) {
      return Stage::is_ready(now) && count(stage.read("notes"), now["front"]["pid"].dump() + " begin ") >= 1;
    });
    stage.stop();
  });
  CHECK(status == 0);
  CHECK(after.contains("front"));
  const std::string log = stage.read("error.log");
  CHECK(has(log, "a certificate is left out"));
  CHECK(has(log, "/tls/a.key` cannot be read: No such file or directory"));
  CHECK(has(log, "no certificate is left for https in " + stage.folder + "/tls"));
}

TEST_CASE("a front that cannot be started is the end, with exit status 1") {
  Stage stage;
  stage.app(kServes);
  stage.front = {.path = "/bin/false"};
  CHECK(stage.run([] {}) == 1);
  CHECK(stage.read("error.log").find("the front did not start") != std::string::npos);
}

TEST_CASE("a worker that is killed is replaced at once in its place, and the front hears of its end") {
  Stage stage;
  stage.app(kServes);
  Json before, after;
  const int status = stage.run([&] {
    before = stage.wait_until(Stage::is_ready);
    const Json pid = before["apps"][0]["workers"][0]["pid"];
    ::kill(pid.get<pid_t>(), SIGKILL);
    after = stage.wait_until(
        [&](const Json& now) { return Stage::is_ready(now) && now["apps"][0]["workers"][0]["pid"] != pid; });
    stage.stop();
  });
  CHECK(status == 0);
  REQUIRE(after.contains("apps"));
  CHECK(after["apps"][0]["workers"][0]["slot"] == 1);
  CHECK(after["apps"][0]["workers"][0]["last_exit"] == "killed from outside (SIGKILL)");
  CHECK(count(stage.read("notes"), " ended True\n") == 1);
}

TEST_CASE("a worker that does not become ready in time is killed and tried again") {
  Stage stage;
  conf::App& app = stage.app(kServes);
  app.health.path = "/never";  // this front finds nobody ready by a path
  app.boot_timeout = std::chrono::milliseconds(50);
  Json seen;
  const int status = stage.run([&] {
    seen = stage.wait_until(
        [](const Json& now) { return now["apps"][0]["workers"][0]["last_exit"].is_string(); });
    stage.stop();
  });
  CHECK(status == 0);
  REQUIRE(seen.contains("apps"));
  CHECK(seen["apps"][0]["workers"][0]["last_exit"].get<std::string>().starts_with(
      "not ready within boot_timeout, killed by us (SIGKILL); its last probe: no answer; its socket is descriptor 3"));
  CHECK(count(stage.read("notes"), " ended False\n") >= 1);
  CHECK(count(stage.read("notes"), " ended True\n") == 0);
}

TEST_CASE("while no worker has ever been ready one is tried at a time, and requests need not wait for it") {
  Stage stage;
  conf::App& app = stage.app("echo no such module; exit 7");
  app.workers = conf::Workers::fixed(4);
  app.health.path = "/never";  // this front would find it ready by its socket, before it ends
  Json seen;
  const int status = stage.run([&] {
    seen = stage.wait_until([](const Json& now) {
      return now["apps"][0]["workers"][0]["last_exit"].is_string() &&
             now["apps"][0]["workers"][0]["state"] == "backoff";
    });
    stage.stop();
  });
  CHECK(status == 0);
  REQUIRE(seen.contains("apps"));
  CHECK(seen["apps"][0]["state"] == "failing");
  CHECK(seen["apps"][0]["workers"][0]["last_exit"] == "exit status 7");
  for (int i = 1; i < 4; ++i) CHECK(seen["apps"][0]["workers"][i]["state"] == "ended");
  CHECK(count(stage.read("notes"), " app ") == 1);
  const std::string log = stage.read("error.log");
  CHECK(log.find("shop.1 | no such module") != std::string::npos);
  CHECK(log.find("worker did not become ready app=shop worker=1") != std::string::npos);
  CHECK(log.find("output=\"no such module\"") != std::string::npos);
}

TEST_CASE("run gives up when its first boot fails, with exit status 1") {
  Stage stage;
  stage.app("exit 3").health.path = "/never";
  CHECK(stage.run([] {}, /*is_run=*/true) == 1);
  CHECK(stage.read("error.log").find("app shop did not start: exit status 3") != std::string::npos);
}

TEST_CASE("a worker that ignores TERM is killed after graceful_timeout, with its whole group") {
  Stage stage;
  conf::App& app = stage.app("trap '' TERM; sleep 1000 & echo $! > " + stage.folder +
                             "/child; while :; do sleep 1000; done");
  app.graceful_timeout = std::chrono::milliseconds(100);
  Json ready;
  const int status = stage.run([&] {
    ready = stage.wait_until(
        [&](const Json& now) { return Stage::is_ready(now) && !stage.read("child").empty(); });
    stage.stop();
  });
  CHECK(status == 0);
  REQUIRE(ready.contains("apps"));
  CHECK(is_gone(ready["apps"][0]["workers"][0]["pid"].get<pid_t>()));
  CHECK(is_gone(std::stoi(stage.read("child"))));
}

TEST_CASE("a second signal stops now, whichever of the three it is") {
  int second = 0;
  SUBCASE("INT") {
    second = SIGINT;
  }
  SUBCASE("QUIT") {
    second = SIGQUIT;
  }
  Stage stage;
  conf::App& app = stage.app("trap '' TERM; while :; do sleep 1000; done");
  app.graceful_timeout = std::chrono::hours(1);
  stage.settings.front.shutdown_delay = std::chrono::hours(1);
  const int status = stage.run([&] {
    stage.wait_until(Stage::is_ready);
    ::kill(::getpid(), SIGTERM);
    // Two of a kind may be delivered as one; the first was heard when STOPPING was logged.
    while (stage.read("error.log").find("draining: finishing") == std::string::npos)
      std::this_thread::yield();
    ::kill(::getpid(), second);
  });
  CHECK(status == 0);
}

TEST_CASE("USR1 opens the logs again; what other signals will do later they say, and end nothing") {
  Stage stage;
  stage.app(kServes);
  const int status = stage.run([&] {
    stage.wait_until(Stage::is_ready);
    ::rename((stage.folder + "/error.log").c_str(), (stage.folder + "/old.log").c_str());
    ::kill(::getpid(), SIGUSR1);
    while (stage.read("error.log").find("opened again") == std::string::npos) std::this_thread::yield();
    ::kill(::getpid(), SIGHUP);
    while (stage.read("error.log").find("there is nothing to reload") == std::string::npos) std::this_thread::yield();
    ::kill(::getpid(), SIGTTOU);
    ::kill(::getpid(), SIGUSR2);
    while (stage.read("error.log").find("no upgrade: everything is as it was") == std::string::npos)
      std::this_thread::yield();
    ::kill(::getpid(), SIGTTIN);
    while (stage.read("error.log").find("TTIN and TTOU change nothing") == std::string::npos)
      std::this_thread::yield();
    stage.stop();
  });
  CHECK(status == 0);
  CHECK(count(stage.read("notes"), " logs ") == 2);
  CHECK(stage.read("old.log").find("opened again") == std::string::npos);
}

TEST_CASE("an address in use is an error before anything is started") {
  Stage stage;
  stage.app("touch " + stage.folder + "/started");
  const auto other = Listeners::open(stage.settings.listen, {}, 1, {});
  REQUIRE(other.has_value());
  stage.settings.listen.http[0] = *conf::parse_address(other->all()[0].text);
  const auto made = Supervisor::make(stage.settings, {.front = stage.front});
  REQUIRE_FALSE(made.has_value());
  CHECK(made.error().number == EADDRINUSE);
  CHECK(stage.read("notes").empty());
}

TEST_CASE("a program that cannot be started is told by its step, and keeps nobody from stopping") {
  Stage stage;
  conf::App& app = stage.app("");
  app.command = {"/etc/passwd"};
  Json seen;
  const int status = stage.run([&] {
    seen = stage.wait_until(
        [](const Json& now) { return now["apps"][0]["workers"][0]["last_exit"].is_string(); });
    stage.stop();
  });
  CHECK(status == 0);
  REQUIRE(seen.contains("apps"));
  CHECK(seen["apps"][0]["workers"][0]["last_exit"] == "`/etc/passwd` cannot be executed: Permission denied");
}

TEST_CASE("a program that binds its socket itself is let through to the front, whoever it runs as") {
  Stage stage;
  conf::App& app = stage.app("");
  app.command = {stage.front.path, "-c",
                 "import socket, sys; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); "
                 "s.accept(); s.accept()",
                 "{socket}"};
  Json ready;
  const int status = stage.run([&] {
    ready = stage.wait_until(Stage::is_ready);
    stage.stop();
  });
  CHECK(status == 0);
  CHECK(ready.contains("apps"));
}

TEST_CASE("workers of somebody else are published as they are, and none is waited for") {
  Stage stage;
  conf::App& app = stage.app("");
  app.command.clear();
  app.proxy = {*conf::parse_address("unix:/no/such/a.sock"), *conf::parse_address("unix:/no/such/b.sock")};
  Json ready;
  const int status = stage.run([&] {
    ready = stage.wait_until(Stage::is_ready);
    stage.stop();
  });
  CHECK(status == 0);
  REQUIRE(ready.contains("apps"));
  CHECK(ready["apps"][0]["workers"].size() == 2);
  CHECK(count(stage.read("notes"), " publish ") == 2);
}

TEST_CASE("the socket that a worker gets is a blocking one") {
  Stage stage;
  conf::App& app = stage.app("");
  app.command = {
      stage.front.path, "-c",
      "import os; print('blocking:', os.get_blocking(3), flush=True); import signal; signal.pause()"};
  const int status = stage.run([&] {
    stage.wait_until(
        [&](const Json&) { return stage.read("error.log").find("blocking:") != std::string::npos; });
    stage.stop();
  });
  CHECK(status == 0);
  CHECK(stage.read("error.log").find("blocking: True") != std::string::npos);
}

TEST_CASE("settings with which no front can start end the start with the exit status of a configuration") {
  Stage stage;
  stage.app(kServes);
  stage.settings.tls.certificates = stage.folder + "/tls";
  std::filesystem::create_directory(stage.folder + "/tls");
  for (std::size_t i = 0; i <= conf::kMostCertificates; ++i) {
    std::ofstream(stage.folder + "/tls/" + std::to_string(i) + ".crt");
    std::ofstream(stage.folder + "/tls/" + std::to_string(i) + ".key");
  }
  CHECK(stage.run([] {}) == 2);
  CHECK(stage.read("error.log").find("at most 126 can be used") != std::string::npos);
}

TEST_CASE("a front that has trouble at the very first start is the end, told, and nothing else was started") {
  Stage stage;
  stage.app("touch " + stage.folder + "/started; " + kServes);
  stage.front.arguments = {"-c", R"(
import signal, socket
channel = socket.socket(fileno=3)
channel.send(b'{"order":"trouble","sentence":"localhost.key is not a key"}')
signal.pause()
)"};
  CHECK(stage.run([] {}) == 2);
  CHECK_FALSE(std::filesystem::exists(stage.folder + "/started"));
  CHECK(stage.read("error.log").find("the front has trouble trouble=\"localhost.key is not a key\"") !=
        std::string::npos);
}

// ---- what is stuck ----

namespace {

Json about_exchange(const char* order, int worker, const char* exchange) {
  return {{"order", order}, {"app", 0}, {"worker", worker}, {"exchange", exchange}};
}
Json stuck(int worker, const char* exchange = "e") {
  return about_exchange("stuck", worker, exchange);
}
Json probed(int worker) {
  return {{"order", "probed"}, {"app", 0}, {"worker", worker}, {"is_ready", true}, {"cause", ""}};
}
pid_t pid_of(const Json& status, int place) {
  const Json& pid = status["apps"][0]["workers"][place]["pid"];
  return pid.is_number() ? pid.get<pid_t>() : 0;
}
bool is_in_order(std::string_view text, std::initializer_list<std::string_view> parts) {
  std::size_t at = 0;
  for (const std::string_view part : parts) {
    at = text.find(part, at);
    if (at == std::string_view::npos) return false;
    at += part.size();
  }
  return true;
}

}  // namespace

TEST_CASE("a command with stack_signal is asked where it is, once for all that is stuck, and its end is not our doing") {
  Stage stage;
  conf::App& app = stage.app("trap 'echo here' USR2; echo up; while :; do sleep 1000 & wait; done");
  app.stack_signal = conf::Signal{SIGUSR2};
  app.graceful_timeout = std::chrono::hours(1);
  Json before, after;
  const int status = stage.run([&] {
    before = stage.wait_until(Stage::is_ready);
    stage.wait_for("error.log", "shop.1 | up");
    stage.say({stuck(1, "one"), stuck(1, "one"), stuck(1, "two")});
    stage.wait_for("error.log", "exchange=two");
    stage.wait_for("error.log", "shop.1 | here");
    ::kill(pid_of(before, 0), SIGKILL);
    after = stage.wait_until(
        [&](const Json& now) { return Stage::is_ready(now) && pid_of(now, 0) != pid_of(before, 0); });
    stage.stop();
  });
  CHECK(status == 0);
  CHECK(after["apps"][0]["workers"][0]["last_exit"] == "killed from outside (SIGKILL)");
  const std::string log = stage.read("error.log");
  CHECK(count(log, "a worker does not let go of a request that has run out of time app=shop worker=1 pid=" +
                       std::to_string(pid_of(before, 0)) + " exchange=") == 2);
  CHECK(count(log, "| here") == 1);
  CHECK(count(stage.read("notes"), " ended True\n") >= 1);
}

TEST_CASE("our Python worker says where it is by a pipe of its own: to the log once, and to the front for each exchange") {
  Stage stage;
  conf::App& app = stage.settings.apps.emplace_back();
  app.name = "shop";
  app.directory = stage.folder;
  app.wsgi = "hello:app";
  app.python = stage.front.path;
  app.graceful_timeout = std::chrono::hours(1);
  std::ofstream(stage.folder + "/hello.py") << "def app(environ, start_response): pass\n";
  Json before, after;
  const int status = stage.run([&] {
    before = stage.wait_until(Stage::is_ready);
    stage.say({stuck(1, "one"), stuck(1, "two")});
    stage.wait_until([&](const Json&) { return count(stage.read("notes"), " stack ") == 2; });
    after = stage.status();
    stage.stop();
  });
  CHECK(status == 0);
  CHECK(pid_of(before, 0) == pid_of(after, 0));
  const std::string log = stage.read("error.log");
  CHECK(count(log, "where a stuck worker is app=shop worker=1 pid=" + std::to_string(pid_of(before, 0)) +
                       " exchange=one,two stack=\"") == 1);
  CHECK(has(log, "<portherd/worker.py>"));
  CHECK_FALSE(has(log, "shop.1 |"));
  CHECK(count(stage.read("notes"), "<portherd/worker.py>") >= 2);
}

TEST_CASE("what is stuck in a worker of somebody else is only told") {
  Stage stage;
  conf::App& app = stage.settings.apps.emplace_back();
  app.name = "elsewhere";
  app.proxy.push_back(*conf::parse_address("unix:/run/elsewhere.sock"));
  const int status = stage.run([&] {
    stage.wait_for("notes", " publish 1\n");
    stage.say({stuck(1), about_exchange("unstuck", 1, "e"), stuck(4, "of nobody"), stuck(1, "last")});
    stage.wait_for("error.log", "exchange=last");
    stage.stop();
  });
  CHECK(status == 0);
  CHECK(has(stage.read("error.log"), "a worker does not let go of a request that has run out of time app=elsewhere "
                                     "worker=1 socket=/run/elsewhere.sock exchange=e\n"));
  CHECK_FALSE(has(stage.read("error.log"), "of nobody"));
}

TEST_CASE("a stuck worker is replaced: its successor is published, then it is unpublished, drained, and ended") {
  Stage stage;
  stage.app(kServes).graceful_timeout = std::chrono::milliseconds(100);
  Json before, meanwhile, after;
  const int status = stage.run([&] {
    before = stage.wait_until(Stage::is_ready);
    stage.say({stuck(1)});
    meanwhile = stage.wait_until([&](const Json& now) { return pid_of(now, 0) != pid_of(before, 0); });
    after = stage.wait_until(
        [](const Json& now) { return now["apps"][0]["workers"][0]["last_exit"].is_string(); });
    stage.stop();
  });
  CHECK(status == 0);
  for (const Json& seen : {meanwhile, after}) {
    CHECK(seen["apps"][0]["state"] == "ready");
    CHECK(seen["apps"][0]["workers"][0]["state"] == "ready");
    CHECK(seen["apps"][0]["workers"][0]["slot"] == 1);
  }
  CHECK(meanwhile["apps"][0]["extras"][0]["pid"] == pid_of(before, 0));
  CHECK(after["apps"][0]["extras"].empty());
  CHECK(after["apps"][0]["workers"][0]["last_exit"] == "killed by us (SIGTERM)");
  CHECK(is_in_order(stage.read("notes"),
                    {" publish 1\n", " publish 2\n", " unpublish ", " close_websockets ", " ended False\n"}));
  CHECK(has(stage.read("error.log"), "a worker is being replaced app=shop worker=1 pid=" +
                                         std::to_string(pid_of(before, 0)) + " cause=stuck"));
}

TEST_CASE("a worker is not replaced for what came back in time, nor for what the front before has said") {
  Stage stage;
  conf::App& app = stage.app(kServes);
  app.workers = conf::Workers::fixed(3);
  app.graceful_timeout = std::chrono::milliseconds(3000);
  Json before, after;
  const int status = stage.run([&] {
    before = stage.wait_until(Stage::is_ready);
    stage.say({stuck(1), about_exchange("unstuck", 1, "e"), stuck(2, "of the front before")});
    stage.wait_for("error.log", "of the front before");
    const Json front = before["front"]["pid"];
    ::kill(front.get<pid_t>(), SIGKILL);
    stage.wait_until([&](const Json& now) {
      const Json& pid = now["front"]["pid"];
      return !pid.is_null() && pid != front && has(stage.read("notes"), pid.dump() + " begin ");
    });
    stage.say({stuck(3)});
    after = stage.wait_until([&](const Json& now) { return pid_of(now, 2) != pid_of(before, 2); });
    stage.stop();
  });
  CHECK(status == 0);
  CHECK(pid_of(after, 0) == pid_of(before, 0));
  CHECK(pid_of(after, 1) == pid_of(before, 1));
  CHECK(count(stage.read("error.log"), "a worker is being replaced") == 1);
}

TEST_CASE("two that are stuck are replaced one after the other, both in the end") {
  Stage stage;
  conf::App& app = stage.app(kServes);
  app.workers = conf::Workers::fixed(2);
  app.graceful_timeout = std::chrono::milliseconds(100);
  Json before, after;
  const int status = stage.run([&] {
    before = stage.wait_until(Stage::is_ready);
    stage.say({stuck(1), stuck(2)});
    after = stage.wait_until([&](const Json& now) {
      return pid_of(now, 0) != pid_of(before, 0) && pid_of(now, 1) != pid_of(before, 1);
    });
    stage.stop();
  });
  CHECK(status == 0);
  CHECK(is_in_order(stage.read("error.log"), {"a worker is being replaced", "worker has ended", "a worker is being replaced"}));
}

TEST_CASE("a worker whose successor does not start serves on, and the successor is tried again") {
  Stage stage;
  conf::App& app = stage.app("mkdir " + stage.folder + "/first && exec sleep 1000; exit 7");
  app.health.path = "/never";  // ready is who the test says is
  app.graceful_timeout = std::chrono::milliseconds(100);
  Json before, after, ended;
  const int status = stage.run([&] {
    stage.wait_for("notes", " probe 1\n");
    stage.say({probed(1)});
    before = stage.wait_until(Stage::is_ready);
    stage.say({stuck(1)});
    stage.wait_for("notes", " probe 3\n");  // it has been tried again
    after = stage.status();
    ::kill(pid_of(before, 0), SIGKILL);
    ended = stage.wait_until([](const Json& now) { return now["apps"][0]["workers"][0]["state"] != "ready"; });
    stage.stop();
  });
  CHECK(status == 0);
  CHECK(after["apps"][0]["state"] == "ready");
  CHECK(pid_of(after, 0) == pid_of(before, 0));
  CHECK(after["apps"][0]["workers"][0]["last_exit"].is_null());
  CHECK_FALSE(has(stage.read("notes"), " unpublish "));
  CHECK(has(stage.read("error.log"), "worker did not become ready app=shop worker=1"));
  CHECK(ended.is_object());
}

TEST_CASE("when a worker dies while its successor starts, that has its place, and no third one is started") {
  Stage stage;
  conf::App& app = stage.app(kServes);
  app.health.path = "/never";  // ready is who the test says is
  app.graceful_timeout = std::chrono::milliseconds(100);
  Json before, meanwhile, after;
  const int status = stage.run([&] {
    stage.wait_for("notes", " probe 1\n");
    stage.say({probed(1)});
    before = stage.wait_until(Stage::is_ready);
    stage.say({stuck(1)});
    stage.wait_for("notes", " probe 2\n");
    ::kill(pid_of(before, 0), SIGKILL);
    meanwhile = stage.wait_until([](const Json& now) { return now["apps"][0]["workers"][0]["state"] == "starting"; });
    stage.say({probed(2)});
    after = stage.wait_until(Stage::is_ready);
    stage.stop();
  });
  CHECK(status == 0);
  CHECK(meanwhile["apps"][0]["workers"][0]["last_exit"] == "killed from outside (SIGKILL)");
  CHECK(pid_of(after, 0) == pid_of(meanwhile, 0));
  CHECK(is_in_order(stage.read("notes"), {" probe 2\n", " ended True\n", " publish 2\n"}));
  CHECK_FALSE(has(stage.read("notes"), " probe 3\n"));
}

TEST_CASE("a supervisor that is told to stop while a worker is being replaced leaves nobody behind") {
  Stage stage;
  conf::App& app = stage.app(kServes);
  app.health.path = "/never";  // ready is who the test says is
  app.graceful_timeout = std::chrono::milliseconds(100);
  const int status = stage.run([&] {
    stage.wait_for("notes", " probe 1\n");
    stage.say({probed(1)});
    stage.wait_until(Stage::is_ready);
    stage.say({stuck(1)});
    stage.wait_for("notes", " probe 2\n");
    stage.stop();
  });
  CHECK(status == 0);
  CHECK(count(stage.read("error.log"), "worker has ended app=shop worker=1") == 2);
}
