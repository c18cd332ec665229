// `portherd logs`: the last lines of an app, and those to come.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "play.h"
#include "play_process.h"

namespace {

// Says "hello" when it starts, and `count` lines for a request to /COUNT.
constexpr const char* kTalker = R"(
import os, sys
def app(environ, start):
    count = int(environ['PATH_INFO'][1:] or 0)
    sys.stdout.write(''.join('line %d of %d %s\n' % (i + 1, count, 'x' * 200) for i in range(count)))
    sys.stdout.flush()
    start('200 OK', [])
    return [b'said']
sys.stdout.write('hello\n')
)";

constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[log]
error = { path = "error.log" }
[apps.talker]
wsgi = "talker:app"
python = "$PYTHON"
)";

struct Stage {
  Stage() : portherd((folder.write("talker.py", kTalker), play::Supervisor::serve(folder, kConfig))) {
    portherd.wait_ready();
  }
  play::Ended logs(play::Arguments more = {}) const {
    more.insert(more.begin(), {"logs", "talker", "-c", portherd.config_file()});
    return play::portherd(more);
  }
  // Until its lines are all there: they come by a pipe of their own.
  std::string wait_for(const std::string& text, const play::Arguments& more = {}) {
    std::string out;
    portherd.wait_until("the app's lines are there", [&](const play::Status&) {
      out = logs(more).out;
      return out.find(text) != std::string::npos;
    });
    return out;
  }

  play::Folder folder;
  play::Supervisor portherd;
};

std::string read_until(play::Peer& peer, const std::string& text) {
  std::string all;
  while (all.find(text) == std::string::npos) {
    const std::string some = peer.read_some();
    REQUIRE_FALSE(some.empty());
    all += some;
  }
  return all;
}

}  // namespace

TEST_CASE("logs shows the last lines of an app with time and worker") {
  Stage stage;
  CHECK(stage.wait_for("hello").find("Z talker.1 | hello\n") != std::string::npos);
  play::get(stage.portherd.port(), "/5");
  stage.wait_for("line 5 of 5");
  const std::string two = stage.logs({"-n", "2"}).out;
  CHECK(std::count(two.begin(), two.end(), '\n') == 2);
  CHECK(two.find(" talker.1 | line 4 of 5 x") != std::string::npos);

  const std::string json = stage.logs({"-n", "1", "--json"}).out;
  const auto line = nlohmann::json::parse(json, nullptr, false);
  REQUIRE(line.is_object());
  CHECK(line["worker"] == "1");
  CHECK(line["line"].get<std::string>().starts_with("line 5 of 5"));
}

TEST_CASE("the lines of a worker that has ended stay, and only the last are kept") {
  Stage stage;
  stage.wait_for("hello");
  const pid_t worker = stage.portherd.status().app("talker").workers[0].pid;
  ::kill(worker, SIGKILL);
  stage.portherd.wait_until("another one is ready", [&](const play::Status& status) {
    return status.all_ready() && status.app("talker").workers[0].pid != worker;
  });
  stage.portherd.wait_until("both said hello", [&](const play::Status&) {
    const std::string out = stage.logs().out;
    return out.find("hello") != out.rfind("hello");
  });
  play::get(stage.portherd.port(), "/3000");
  const std::string kept = stage.wait_for("line 3000 of 3000", {"-n", "100000"});
  CHECK(std::count(kept.begin(), kept.end(), '\n') <= 1000);
  CHECK(kept.find("hello") == std::string::npos);
}

TEST_CASE("logs -f goes on with what is printed from then on") {
  Stage stage;
  stage.wait_for("hello");
  play::Peer follower = play::connect_unix(stage.folder / "portherd.sock");
  follower.send("{\"verb\":\"logs\",\"app\":\"talker\",\"lines\":1,\"follow\":true}\n");
  CHECK(read_until(follower, "\n").find("\"line\":\"hello\"") != std::string::npos);
  play::get(stage.portherd.port(), "/2");
  const std::string heard = read_until(follower, "line 2 of 2");
  CHECK(heard.find("line 1 of 2") != std::string::npos);
}

TEST_CASE("the command follows until the supervisor ends, and says that it did") {
  Stage stage;
  stage.wait_for("hello");
  const play::Pipe out;
  const pid_t follower = play::start({play::path_of_portherd(), "logs", "-f", "talker", "-c", stage.portherd.config_file()},
                                     stage.folder.path(), {}, out.writing.get(), out.writing.get());
  std::string heard;
  char byte = 0;
  while (heard.find("hello") == std::string::npos && ::read(out.reading.get(), &byte, 1) == 1) heard += byte;
  CHECK(heard.find("talker.1 | hello") != std::string::npos);
  CHECK(stage.portherd.stop() == 0);
  CHECK(play::wait_for(follower) == 1);
}

TEST_CASE("a follower that does not read loses lines, is told how many, and holds up nobody") {
  Stage stage;
  stage.wait_for("hello");
  play::Peer follower = play::connect_unix(stage.folder / "portherd.sock");
  follower.send("{\"verb\":\"logs\",\"app\":\"talker\",\"lines\":1,\"follow\":true}\n");
  read_until(follower, "hello");
  for (int i = 0; i < 5; ++i) CHECK(play::get(stage.portherd.port(), "/2000").status == 200);
  CHECK(play::get(stage.portherd.port(), "/1").status == 200);
  stage.wait_for("line 1 of 1 x");
  const std::string heard = read_until(follower, "dropped");
  const auto lines = std::count(heard.begin(), heard.end(), '\n');
  CHECK(lines < 10'001);
}

TEST_CASE("status APP tells all about one app") {
  Stage stage;
  stage.wait_for("hello");
  const play::Ended table = play::portherd({"status", "talker", "-c", stage.portherd.config_file()});
  CHECK(table.status == 0);
  const pid_t worker = stage.portherd.status().app("talker").workers[0].pid;
  CHECK(table.out.find("\ntalker/ready ") != std::string::npos);
  CHECK(table.out.find("\nWORKER STATE      GENERATION ") != std::string::npos);
  CHECK(table.out.find(" " + std::to_string(worker) + "  ") != std::string::npos);
  CHECK(table.out.find("\nLAST OUTPUT\n  1 | hello\n") != std::string::npos);

  const play::Ended json = play::portherd({"status", "talker", "--json", "-c", stage.portherd.config_file()});
  const auto status = nlohmann::json::parse(json.out, nullptr, false);
  REQUIRE(status.is_object());
  CHECK(status["apps"].size() == 1);
  CHECK(status["output"][0]["line"] == "hello");
  CHECK_FALSE(status.contains("ok"));
}
