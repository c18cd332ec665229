#include <csignal>

#include "play.h"

namespace {

constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
wsgi = "app:app"
python = "$PYTHON"
env_file = "app.env"
)";
constexpr const char* kQueue = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
command = ["$PYTHON", "$APPS/who.py"]
directory = "$FOLDER"
env_file = "app.env"
[[apps.app.services]]
name = "queue"
command = ["$PYTHON", "queue.py"]
)";
constexpr const char* kApp = R"(
import os

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [os.environ["COLOUR"].encode()]
)";

std::string colour(const play::Supervisor& portherd) {
  return play::get(portherd.port()).body;
}

int order(const play::Supervisor& portherd, const std::string& verb) {
  play::Arguments arguments{verb, "-c", portherd.config_file()};
  if (verb != "upgrade") arguments.push_back("app");
  return play::portherd(arguments).status;
}

/// And waits until another is ready in its place.
void kill_the_worker(play::Supervisor& portherd) {
  const pid_t old = portherd.wait_ready().app("app").workers.at(0).pid;
  REQUIRE(::kill(old, SIGKILL) == 0);
  portherd.wait_until("another has its place", [old](const play::Status& now) {
    return now.all_ready() && now.app("app").workers.at(0).pid != old;
  });
}

}  // namespace

TEST_CASE("a generation keeps the env_file that it began with, whoever is started for it later") {
  const play::Folder folder;
  folder.write("app.py", kApp);
  folder.write("app.env", "COLOUR=green\n");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  portherd.wait_ready();
  folder.write("app.env", "COLOUR=blue\n");
  kill_the_worker(portherd);
  CHECK(colour(portherd) == "green");
  CHECK(order(portherd, "restart") == 0);
  CHECK(colour(portherd) == "blue");

  SUBCASE("a rollback has that of the generation before") {
    CHECK(order(portherd, "rollback") == 0);
    CHECK(colour(portherd) == "green");
  }
  SUBCASE("the program that goes on after an upgrade has it, too") {
    folder.write("app.env", "COLOUR=red\n");
    CHECK(order(portherd, "upgrade") == 0);
    kill_the_worker(portherd);
    CHECK(colour(portherd) == "blue");
    CHECK(order(portherd, "rollback") == 0);
    CHECK(colour(portherd) == "green");
  }
}

TEST_CASE("a service has the env_file of its app's generation, too, over a rollback and an upgrade") {
  const play::Folder folder;
  folder.write("queue.py", "import os, signal\nprint('queue is', os.environ['COLOUR'], flush=True)\nsignal.pause()\n");
  folder.write("app.env", "COLOUR=green\n");
  auto portherd = play::Supervisor::serve(folder, std::string(kQueue));
  const auto is_ready = [](const play::Status& now) { return now.app("app").state == "ready"; };
  portherd.wait_until("it is ready", is_ready);
  folder.write("app.env", "COLOUR=blue\n");
  CHECK(order(portherd, "restart") == 0);
  CHECK(portherd.lines_with("queue is blue").size() == 1);
  folder.write("app.env", "COLOUR=red\n");
  SUBCASE("by the program that was started") {}
  SUBCASE("by the program that goes on after an upgrade") { CHECK(order(portherd, "upgrade") == 0); }
  CHECK(order(portherd, "rollback") == 0);
  CHECK(portherd.lines_with("queue is green").size() == 2);
  CHECK(order(portherd, "rollback") == 0);
  CHECK(portherd.lines_with("queue is blue").size() == 2);
  CHECK(order(portherd, "restart") == 0);
  CHECK(portherd.lines_with("queue is red").size() == 1);
}
