#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "play.h"

namespace {

// A worker waits for as long as there is a FIFO `go` that nobody has written.
constexpr const char* kWeb = R"(
import os, signal, worker
if os.environ.get("COLOUR") == "bad":
    worker.say("the code is bad")
    raise SystemExit(3)
if os.path.exists("stubborn"): signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.path.exists("go"):
    worker.say("waits for the word")
    open("go").read()
worker.serve(lambda connection, request: worker.answer(connection, "at last\n"))
)";

// A broken one leaves that FIFO for the worker that is started next.
constexpr const char* kQueue = R"(
import os, signal, sys
print("queue is", os.environ.get("COLOUR"), flush=True)
if os.environ.get("COLOUR") == "bad": sys.exit(3)
if os.path.exists("broken"):
    if not os.path.exists("go"): os.mkfifo("go")
    sys.exit(3)
signal.pause()
)";

constexpr const char* kShop = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.shop]
command = ["$PYTHON", "web.py"]
directory = "$FOLDER"
env = { PYTHONPATH = "$APPS" }
queue_size = 10
workers = 1
)";

constexpr const char* kService = R"(
[[apps.shop.services]]
name = "queue"
command = ["$PYTHON", "queue.py"]
)";

play::Ended order(const play::Supervisor& portherd, play::Arguments arguments) {
  arguments.insert(arguments.begin() + 1, {"-c", portherd.config_file()});
  return play::portherd(arguments);
}

play::Supervisor serve(const play::Folder& folder, const std::string& config) {
  folder.write("web.py", kWeb);
  folder.write("queue.py", kQueue);
  return play::Supervisor::serve(folder, config);
}

void wait_ready(play::Supervisor& portherd) {
  portherd.wait_until("all is ready", [](const play::Status& now) { return now.app("shop").state == "ready"; });
}

/// In the file, once.
void replace(const play::Folder& folder, const std::string& before, const std::string& after) {
  std::string text = folder.read("portherd.toml");
  REQUIRE(text.find(before) != std::string::npos);
  folder.write("portherd.toml", text.replace(text.find(before), before.size(), after));
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// What the one service is, as `status --json` has it.
std::string service(const play::Status& now) {
  const std::size_t at = now.text.find("\"services\": [\n");
  return at == std::string::npos ? "" : now.text.substr(at, now.text.find(']', at) - at);
}

/// A restart that has failed at its service, and whose worker is just put back, as slowly as the test likes.
struct PutBack {
  explicit PutBack(const play::Folder& folder) : portherd(serve(folder, std::string(kShop) + kService)) {
    wait_ready(portherd);
    folder.write("broken", "");
    caller = std::thread([this] { restarted = order(portherd, {"restart", "shop"}); });
    portherd.expect_line("waits for the word");
  }
  ~PutBack() {
    if (caller.joinable()) caller.join();
  }

  play::Supervisor portherd;
  play::Ended restarted;
  std::thread caller;
};

}  // namespace

TEST_CASE("an app that is stopped while a failed release is put back is as before that release") {
  const play::Folder folder;
  PutBack stage(folder);
  CHECK(order(stage.portherd, {"stop", "shop"}).status == 0);
  stage.caller.join();
  CHECK(stage.restarted.status == 1);
  CHECK_MESSAGE(has(stage.restarted.err, "service shop.queue: "), stage.restarted.err);
  CHECK_FALSE(has(stage.restarted.err, "begins with that"));
  std::filesystem::remove(folder / "go");
  std::filesystem::remove(folder / "broken");
  CHECK(order(stage.portherd, {"start", "shop"}).status == 0);
  CHECK(stage.portherd.status().app("shop").workers.at(0).generation == 1);
  CHECK(has(order(stage.portherd, {"rollback", "shop"}).err, "no generation before this one"));
}

TEST_CASE("a release in the place of one that is put back comes into force, and the one before says why it failed") {
  const play::Folder folder;
  PutBack stage(folder);
  std::filesystem::remove(folder / "go");
  std::filesystem::remove(folder / "broken");
  const play::Ended second = order(stage.portherd, {"restart", "shop"});
  CHECK_MESSAGE(second.status == 0, second.err);
  stage.caller.join();
  CHECK(stage.restarted.status == 1);
  CHECK_MESSAGE(has(stage.restarted.err, "service shop.queue: "), stage.restarted.err);
  CHECK_FALSE(has(stage.restarted.err, "is given up"));
  const play::Status now = stage.portherd.status();
  CHECK(now.app("shop").workers.at(0).generation == 3);
  CHECK(now.app("shop").state == "ready");
}

TEST_CASE("a reload beside a restart leaves the services to the restart, which comes to them after the workers") {
  const play::Folder folder;
  auto portherd = serve(folder, std::string(kShop) + kService);
  wait_ready(portherd);
  REQUIRE(::mkfifo((folder / "go").c_str(), 0600) == 0);
  play::Ended restarted;
  std::thread caller([&] { restarted = order(portherd, {"restart", "shop"}); });
  portherd.expect_line("waits for the word");
  replace(folder, "queue_size = 10", "queue_size = 20");
  const play::Ended reloaded = order(portherd, {"reload"});
  CHECK_MESSAGE(reloaded.status == 0, reloaded.err);
  CHECK(has(service(portherd.status()), "\"generation\": 1,"));
  CHECK(portherd.lines_with("queue is").size() == 1);
  std::ofstream(folder / "go") << "go on\n";
  caller.join();
  CHECK_MESSAGE(restarted.status == 0, restarted.err);
  CHECK(portherd.lines_with("queue is").size() == 2);
}

TEST_CASE("a reload that changes services alone returns when they are there, or says why one is not") {
  const play::Folder folder;
  auto portherd = serve(folder, kShop);
  wait_ready(portherd);
  folder.write("portherd.toml", folder.read("portherd.toml") + R"([[apps.shop.services]]
name = "queue"
command = [")" + play::python() + "\", \"queue.py\"]\nenv = { COLOUR = \"good\" }\n");
  const play::Ended added = order(portherd, {"reload"});
  CHECK_MESSAGE(added.status == 0, added.err);
  CHECK(has(service(portherd.status()), "\"state\": \"ready\""));
  replace(folder, "\"good\"", "\"bad\"");
  const play::Ended broken = order(portherd, {"reload"});
  CHECK(broken.status == 1);
  CHECK_MESSAGE(has(broken.err, "service shop.queue: "), broken.err);
  CHECK(has(broken.err, "queue is bad"));
  CHECK(has(service(portherd.status()), "\"state\": \"ready\""));
  CHECK(portherd.status().app("shop").workers.at(0).generation == 1);
}

TEST_CASE("a service that is changed again before it is ready is no failure of the second change") {
  const play::Folder folder;
  folder.write("stubborn", "");
  auto portherd = serve(folder, std::string(kShop) + kService + "env = { COLOUR = \"one\" }\n");
  wait_ready(portherd);
  std::filesystem::remove(folder / "stubborn");
  const pid_t old = portherd.status().app("shop").workers.at(0).pid;
  replace(folder, "\"one\"", "\"two\"");
  play::Ended first;
  std::thread reloading([&] { first = order(portherd, {"reload"}); });
  portherd.expect_line("queue is two");
  std::thread stopping([&] { order(portherd, {"stop", "shop"}); });
  reloading.join();
  replace(folder, "\"two\"", "\"three\"");
  std::thread starting([&] { CHECK(order(portherd, {"start", "shop"}).status == 0); });
  portherd.wait_until("it is started again", [](const play::Status& now) { return now.app("shop").state != "stopped"; });
  const play::Ended second = order(portherd, {"reload"});
  CHECK_MESSAGE(second.status == 0, second.err);
  CHECK(portherd.lines_with("queue is three").size() == 1);
  CHECK(::kill(old, SIGKILL) == 0);
  stopping.join();
  starting.join();
}

TEST_CASE("a service that comes with a release and does not become ready is a failure of that release") {
  const play::Folder folder;
  auto portherd = serve(folder, kShop);
  wait_ready(portherd);
  replace(folder, "env = {", "env = { NEW = \"yes\",");
  folder.write("portherd.toml", folder.read("portherd.toml") + R"([[apps.shop.services]]
name = "queue"
command = [")" + play::python() + "\", \"queue.py\"]\nenv = { COLOUR = \"bad\" }\n");
  const play::Ended broken = order(portherd, {"reload"});
  CHECK(broken.status == 1);
  CHECK_MESSAGE(has(broken.err, "service shop.queue: "), broken.err);
  const play::Status now = portherd.status();
  CHECK(now.app("shop").workers.at(0).generation == 1);
  CHECK(now.app("shop").state == "ready");
}

TEST_CASE("a release that comes while an app is being woken can be put back, too") {
  const play::Folder folder;
  folder.write("app.env", "COLOUR=good\n");
  std::string config = kShop;
  config.replace(config.find("workers = 1"), 11, "workers = { min = 0, max = 1 }\nidle_timeout = \"1s\"\nenv_file = \"app.env\"");
  auto portherd = serve(folder, config);
  CHECK(play::get(portherd.port()).status == 200);
  portherd.wait_until("it sleeps", [](const play::Status& now) { return now.app("shop").state == "asleep"; });
  REQUIRE(::mkfifo((folder / "go").c_str(), 0600) == 0);
  play::Peer client = play::connect(portherd.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  portherd.expect_line("waits for the word");
  folder.write("app.env", "COLOUR=bad\n");
  play::Ended restarted;
  std::thread caller([&] { restarted = order(portherd, {"restart", "shop"}); });
  portherd.wait_until("the one before is woken again", [&](const play::Status&) { return portherd.lines_with("waits for the word").size() == 2; });
  std::ofstream(folder / "go") << "go on\n";
  caller.join();
  CHECK(restarted.status == 1);
  CHECK_MESSAGE(has(restarted.err, "generation 1 stays\nthe code is bad"), restarted.err);
  CHECK(client.read_answer().status == 200);
}

TEST_CASE("the number of workers that was ordered outlives a release that fails, whatever number that came with") {
  const play::Folder folder;
  auto portherd = serve(folder, kShop);
  wait_ready(portherd);
  CHECK(order(portherd, {"scale", "shop", "2"}).status == 0);
  replace(folder, "workers = 1", "workers = 3");
  replace(folder, "PYTHONPATH", "COLOUR = \"bad\", PYTHONPATH");
  CHECK(order(portherd, {"reload"}).status == 1);
  const play::Status now = portherd.status();
  CHECK(has(now.text, "\"wanted\": 2,"));
  CHECK(has(now.text, "\"pinned\": true"));
  CHECK(now.app("shop").ready().size() == 2);
  replace(folder, "\"bad\"", "\"good\"");
  CHECK(order(portherd, {"reload"}).status == 0);
  CHECK(has(portherd.status().text, "\"wanted\": 3,"));
  CHECK(has(portherd.status().text, "\"pinned\": false"));
}
