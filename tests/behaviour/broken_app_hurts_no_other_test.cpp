#include <atomic>
#include <thread>

#include "play.h"

namespace {

std::size_t number_behind(const std::string& line, const std::string& key) {
  return std::stoul(line.substr(line.find(key) + key.size()));
}

}  // namespace

TEST_CASE("an app that crashes at boot hurts no other one, and is spoken of ever more seldom") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[log]
access = "off"
[apps.broken]
hosts = ["broken.example"]
command = ["$PYTHON", "$APPS/crash_loop.py"]
workers = 4
[apps.sound]
hosts = ["sound.example"]
command = ["$PYTHON", "$APPS/who.py"]
)");
  portherd.wait_until("the sound one serves", [](const play::Status& now) { return now.app("sound").ready().size() == 1; });
  const pid_t pid = portherd.status().app("sound").ready().at(0);
  std::atomic<bool> is_over = false;
  std::size_t served = 0, failed = 0;
  std::thread client([&] {
    while (!is_over) ++(play::get(portherd.port(), "/", "sound.example").status == 200 ? served : failed);
  });
  const auto tries = [&] { return portherd.lines_with("broken.").size(); };  // each says two lines of its own
  portherd.wait_until("it has been tried five times", [&](const play::Status&) { return tries() >= 10; });
  is_over = true;
  client.join();

  CHECK(served > 0);
  CHECK(failed == 0);
  const play::Status after = portherd.status();
  CHECK(after.app("sound").ready() == std::vector<pid_t>{pid});
  CHECK(after.app("broken").state == "failing");
  CHECK(play::get(portherd.port(), "/", "broken.example").status == 503);
  // The 1st, the 2nd, the 4th: in the first minute it is tried eight times, and that are four lines.
  const auto said = portherd.lines_with("app=broken");
  REQUIRE(said.size() == 3);
  CHECK(number_behind(said.at(0), "failures=") == 1);
  CHECK(number_behind(said.at(1), "failures=") == 2);
  CHECK(number_behind(said.at(2), "failures=") == 4);
  CHECK(said.at(0).find("no such table: customers") != std::string::npos);
}
