#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "load.h"
#include "play.h"

namespace {

play::Supervisor serve(const play::Folder& folder, const std::string& keys) {
  return play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[log]
access = "off"
[apps.app]
command = ["$PYTHON", "$APPS/works.py"]
)" + keys);
}

play::Ended order(const play::Supervisor& portherd, play::Arguments arguments) {
  arguments.insert(arguments.begin() + 1, {"-c", portherd.config_file()});
  return play::portherd(arguments);
}

/// A request that a worker has until release() is called.
class Held {
 public:
  Held(const play::Supervisor& portherd, const play::Folder& folder, const std::string& name)
      : pipe_(folder / ("hold-" + name)), peer_(play::connect(portherd.port())) {
    REQUIRE(::mkfifo(pipe_.c_str(), 0600) == 0);
    peer_.send("GET /hold/" + name + " HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  void release() const { std::ofstream(pipe_) << "go on\n"; }
  play::Answer answer() { return peer_.read_answer(); }

 private:
  std::string pipe_;
  play::Peer peer_;
};

std::size_t number_of_ready(const play::Status& now) {
  return now.app("app").workers.size() == now.app("app").ready().size() ? now.app("app").ready().size() : 0;
}

bool has_extras(const play::Status& now) {
  return now.text.find("\"extras\": []") == std::string::npos;
}

}  // namespace

TEST_CASE("an app is scaled from 2 workers to 6 to 1 under load, and no request fails") {
  const play::Folder folder;
  auto portherd = serve(folder, "workers = 2\nconcurrency = 2\n");
  portherd.wait_ready();
  play::Clients clients(portherd, 8, "/1");
  const std::uint64_t count = play::scaled(100);
  play::Load over_h2;
  std::thread load([&] {
    over_h2 = play::to_load(play::run({"h2load", "-n", std::to_string(count), "-c", "2", "-m", "2",
                                       "http://127.0.0.1:" + std::to_string(portherd.port()) + "/1"}));
  });
  const play::Ended up = order(portherd, {"scale", "app", "6"});
  CHECK(up.status == 0);
  CHECK(up.out.find(
            "6 workers are wanted, until its `workers` are changed by a reload, or Portherd is restarted") !=
        std::string::npos);
  CHECK(up.out.find("app app: 6 of 6 workers ready\n") != std::string::npos);
  CHECK(number_of_ready(portherd.status()) == 6);
  CHECK(order(portherd, {"scale", "app", "1"}).out.starts_with("app app: 1 worker is wanted, until"));
  const play::Status after = portherd.wait_until(
      "there is one", [](const play::Status& now) { return number_of_ready(now) == 1 && !has_extras(now); });
  const std::size_t before = clients.served;
  portherd.wait_until("it serves alone", [&](const play::Status&) { return clients.served > before + 10; });
  load.join();
  clients.stop();
  CHECK(over_h2.answered_2xx == count);
  CHECK(clients.failed == 0);
  CHECK(after.app("app").failed == 0);
  CHECK(portherd.lines_with("unexpectedly").empty());
}

TEST_CASE("scale and start return when the workers are ready, or say why one is not; it is tried again") {
  const play::Folder folder;
  constexpr const char* kWorks = "def app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'hello']\n";
  constexpr const char* kRaises = "raise RuntimeError('the code is broken')\n";
  folder.write("hello.py", kWorks);
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
wsgi = "hello:app"
python = "$PYTHON"
)");
  portherd.wait_ready();
  folder.write("hello.py", kRaises);
  const play::Ended broken = order(portherd, {"scale", "app", "2"});
  CHECK(broken.status == 1);
  CHECK_MESSAGE(broken.err.find("app app, worker 2 did not become ready: exit status 1") != std::string::npos, broken.err);
  CHECK(broken.err.find("RuntimeError: the code is broken") != std::string::npos);
  CHECK(portherd.status().app("app").ready().size() == 1);
  folder.write("hello.py", kWorks);
  CHECK(portherd.wait_ready().app("app").ready().size() == 2);

  CHECK(order(portherd, {"stop", "app"}).status == 0);
  folder.write("hello.py", kRaises);
  const play::Ended none = order(portherd, {"start", "app"});
  CHECK(none.status == 1);
  CHECK(none.err.find("RuntimeError: the code is broken") != std::string::npos);
  CHECK(order(portherd, {"stop", "app"}).status == 0);
  folder.write("hello.py", kWorks);
  const play::Ended started = order(portherd, {"start", "app"});
  CHECK_MESSAGE(started.status == 0, started.err);
  CHECK(started.out.find("app app: 2 of 2 workers ready\n") != std::string::npos);
  CHECK(number_of_ready(portherd.status()) == 2);
}

TEST_CASE("who waits for a number of workers is told when another number is ordered") {
  const play::Folder folder;
  REQUIRE(::mkfifo((folder / "go").c_str(), 0600) == 0);
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
command = ["$PYTHON", "$APPS/slow_start.py"]
directory = "$FOLDER"
)");
  play::Ended first;
  std::thread waits([&] { first = order(portherd, {"scale", "app", "2"}); });
  portherd.wait_until("two are wanted", [](const play::Status& now) { return now.app("app").workers.size() == 2; });
  play::Peer caller = play::connect_unix(folder / "portherd.sock");
  caller.send("{\"verb\":\"scale\",\"app\":\"app\",\"workers\":1}\n");
  CHECK(caller.read_some().find("1 worker is wanted") != std::string::npos);
  waits.join();
  CHECK(first.status == 1);
  CHECK(first.err.find("another order has taken its place") != std::string::npos);
  std::ofstream(folder / "go") << "go on\n";
  CHECK(caller.read_to_end().find("\"ok\":true") != std::string::npos);
  CHECK(number_of_ready(portherd.status()) == 1);
}

TEST_CASE("who waits for a number of workers is told when a reload says another, and when everything ends") {
  const play::Folder folder;
  REQUIRE(::mkfifo((folder / "go").c_str(), 0600) == 0);
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
command = ["$PYTHON", "$APPS/slow_start.py"]
directory = "$FOLDER"
workers = 1
)");
  const auto are_wanted = [](std::size_t number) {
    return [number](const play::Status& now) { return now.app("app").workers.size() == number; };
  };
  play::Ended first, second;
  std::thread one([&] { first = order(portherd, {"scale", "app", "2"}); });
  portherd.wait_until("two are wanted", are_wanted(2));
  std::string config = folder.read("portherd.toml");
  folder.write("portherd.toml", config.replace(config.find("workers = 1"), 11, "workers = 3"));
  CHECK(order(portherd, {"reload"}).status == 0);
  one.join();
  CHECK(first.status == 1);
  CHECK_MESSAGE(first.err.find("app app: another order has taken its place") != std::string::npos, first.err);
  std::thread two([&] { second = order(portherd, {"scale", "app", "4"}); });
  portherd.wait_until("four are wanted", are_wanted(4));
  CHECK(portherd.stop() == 0);
  two.join();
  CHECK(second.status == 1);
  CHECK_MESSAGE(second.err.find("app app is not ready: everything is ending") != std::string::npos, second.err);
}

TEST_CASE("what is stopped is not scaled") {
  const play::Folder folder;
  auto portherd = serve(folder, "");
  portherd.wait_ready();
  CHECK(order(portherd, {"stop", "app"}).status == 0);
  const play::Ended scaled = order(portherd, {"scale", "app", "2"});
  CHECK(scaled.status == 2);
  CHECK_MESSAGE(scaled.err.find("app is stopped; `portherd start app` ends that") != std::string::npos, scaled.err);
}

TEST_CASE("a number that cannot be is refused") {
  const play::Folder folder;
  auto portherd = serve(folder, "");
  portherd.wait_ready();
  const play::Ended none = order(portherd, {"scale", "app", "0"});
  CHECK(none.status == 2);
  CHECK(none.err.find("for none: `portherd stop app`") != std::string::npos);
}

TEST_CASE("workers come when requests wait for a slot, and leave when fewer would do") {
  const play::Folder folder;
  auto portherd = serve(
      folder,
      "workers = { min = 1, max = 3 }\nconcurrency = 1\ntarget_wait = \"20ms\"\nidle_timeout = \"1s\"\n");
  portherd.wait_ready();
  const auto began = std::chrono::steady_clock::now();
  Held one(portherd, folder, "one"), two(portherd, folder, "two"), three(portherd, folder, "three");
  portherd.wait_until("each has a worker", [](const play::Status& now) { return now.app("app").busy == 3; });
  MESSAGE("three workers after "
          << std::chrono::duration_cast<play::milliseconds>(std::chrono::steady_clock::now() - began).count()
          << " ms");
  for (Held* const held : {&one, &two, &three}) held->release();
  for (Held* const held : {&one, &two, &three}) CHECK(held->answer().status == 200);
  const play::Status after = portherd.wait_until("one is left", [](const play::Status& now) {
    return now.app("app").workers.size() == 1 && !has_extras(now);
  });
  CHECK(after.app("app").failed == 0);
  CHECK(play::get(portherd.port(), "/1").status == 200);
}

TEST_CASE("with a min of 0 the first request waits for a worker, which leaves when nobody asks any more") {
  const play::Folder folder;
  auto portherd = serve(folder, "workers = { min = 0, max = 2 }\nidle_timeout = \"1s\"\n");
  const auto is_asleep = [](const play::Status& now) {
    return now.app("app").state == "asleep" && now.app("app").workers.empty() && !has_extras(now);
  };
  for (int i = 0; i < 2; ++i) {
    CHECK(portherd.wait_until("it sleeps", is_asleep).exit_status == 0);
    CHECK(play::get(portherd.port(), "/1").status == 200);
  }
  portherd.wait_until("it sleeps again", is_asleep);
}

TEST_CASE("auto begins with one worker, measures it, and says how many it chose and why") {
  const play::Folder folder;
  auto portherd = serve(folder, "workers = \"auto\"\n");
  const std::string line = portherd.expect_line("as many workers as this machine is good for");
  CHECK(line.find(" CPUs, memory for ") != std::string::npos);
  const auto at = line.find("workers=") + 8;
  const std::size_t chosen = std::stoul(line.substr(at));
  portherd.wait_until("so many are ready",
                      [&](const play::Status& now) { return number_of_ready(now) == chosen; });
}

TEST_CASE("TTIN and TTOU scale `run` by one, never below one") {
  const play::Folder folder;
  folder.write("hello.py", R"(
def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "0")])
    return []
)");
  auto portherd = play::Supervisor::run(folder, {"hello:app"});
  portherd.wait_ready();
  const auto are = [&](std::size_t number) {
    return [number](const play::Status& now) {
      return now.apps.at(0).workers.size() == number && now.all_ready() && !has_extras(now);
    };
  };
  portherd.signal(SIGTTIN);
  portherd.wait_until("there are two", are(2));
  portherd.signal(SIGTTOU);
  portherd.wait_until("there is one", are(1));
  portherd.signal(SIGTTOU);
  portherd.signal(SIGTTIN);
  portherd.wait_until("there are two, not one", are(2));
}

TEST_CASE("TTOU leaves an app alone that sleeps, or was stopped") {
  const play::Folder folder;
  folder.write("portherd.toml", "[apps.app]\ncommand = [\"" + play::python() + "\", \"" + play::source("tests/apps") +
                                    "/works.py\"]\nworkers = { min = 0, max = 2 }\n");
  auto portherd = play::Supervisor::run(folder, {"--bind", "127.0.0.1:$PORT", "."});
  const auto is = [](const char* state) {
    return [state](const play::Status& now) { return now.app("app").state == state && now.app("app").workers.empty(); };
  };
  portherd.wait_until("it sleeps", is("asleep"));
  portherd.signal(SIGTTOU);
  portherd.signal(SIGTTIN);
  portherd.wait_until("one was started by the one, and none by the other",
                      [](const play::Status& now) { return now.app("app").ready().size() == 1; });
  CHECK(portherd.lines_with("another number of workers is wanted").size() == 1);
}
