#include "play.h"

namespace {

std::vector<double> starts(const play::Supervisor& portherd) {
  std::vector<double> out;
  for (const std::string& line : portherd.lines_with("| started at ")) {
    out.push_back(std::stod(line.substr(line.find("started at ") + 11)));
  }
  return out;
}

}  // namespace

TEST_CASE("a worker that crashes at boot is tried again, ever more seldom, until it works") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
command = ["$PYTHON", "$APPS/crash_loop.py"]
workers = 4
)");
  portherd.expect_line("no such table: customers");  // its own words
  CHECK(play::get(portherd.port()).status == 503);
  const play::Status backoff = portherd.wait_until(
      "it has been tried four times", [&](const play::Status&) { return starts(portherd).size() >= 4; });
  CHECK(backoff.exit_status == 3);
  CHECK(backoff.app("app").ready().empty());

  // While none has become ready one is tried at a time: after 0, 0.5 s and 1 s, each give or take a fifth.
  const std::vector<double> at = starts(portherd);
  CHECK(at[2] - at[1] > 0.39);
  CHECK(at[3] - at[2] > 0.79);

  folder.write("fixed", "");
  const play::Status ready = portherd.wait_ready();
  CHECK(ready.app("app").workers.size() == 4);
  CHECK(play::get(portherd.port()).body == "fixed\n");
}

TEST_CASE("status says how a worker ended") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
command = ["$PYTHON", "$APPS/crash_loop.py"]
)");
  const play::Status status = portherd.wait_until("it has ended once", [](const play::Status& s) {
    return !s.app("app").workers.at(0).last_exit.empty();
  });
  CHECK(status.app("app").workers.at(0).last_exit.find("3") != std::string::npos);
}

TEST_CASE("a worker killed from outside is replaced at once") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
command = ["$PYTHON", "$APPS/who.py"]
)");
  const pid_t first = portherd.wait_ready().app("app").workers.at(0).pid;
  ::kill(first, SIGKILL);
  const play::Status after = portherd.wait_until("another is ready", [&](const play::Status& status) {
    return status.all_ready() && status.app("app").workers.at(0).pid != first;
  });
  const std::string& cause = after.app("app").workers.at(0).last_exit;
  CHECK(cause.find("SIGKILL") != std::string::npos);
  CHECK(play::get(portherd.port()).body == std::to_string(after.app("app").workers.at(0).pid) + "\n");
}
