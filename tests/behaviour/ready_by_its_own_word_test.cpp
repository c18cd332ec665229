// READY=1 on NOTIFY_SOCKET (sd_notify(3)), said by a worker that hangs up on whoever asks `OPTIONS *`.
#include "play.h"

namespace {

std::string serving(const std::string& words, const std::string& more = "") {
  return R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
command = ["$PYTHON", "$APPS/says_ready.py")" +
         words + "]\n" + more;
}

}  // namespace

TEST_CASE("a command that says READY=1 is ready by that word, though it never answers the probe") {
  std::string words;
  SUBCASE("alone") { words = R"(, "READY=1")"; }
  SUBCASE("among other variables") { words = R"(, 'MAINPID=1\nREADY=1\nSTATUS=here\n')"; }
  SUBCASE("after other words, and twice") { words = R"(, "STATUS=booting", "READY=0", "READY=1", "READY=1", "STOPPING=1")"; }
  SUBCASE("by a child of the worker") { words = R"(, "CHILD", "READY=1")"; }
  SUBCASE("behind a descriptor that nobody keeps") { words = R"(, "BARRIER", "READY=1", "BARRIER")"; }
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, serving(words));
  CHECK(play::get(portherd.port()).body == "here\n");
  CHECK(portherd.wait_ready().app("app").ready().size() == 1);
}

TEST_CASE("other words prove nothing") {
  std::string words;
  SUBCASE("none") {}
  SUBCASE("that it is not ready, or ends") { words = R"(, "READY=0", "STATUS=READY=1", 'STOPPING=1\nREADY=1x')"; }
  SUBCASE("one that is too long to be read") { words = ", 'READY=1\\nSTATUS=" + std::string(5000, 'x') + "'"; }
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, serving(words, "boot_timeout = \"1s\"\n"));
  const std::string line = portherd.expect_line("worker did not become ready");
  CHECK_MESSAGE(line.find("closed the connection before it answered") != std::string::npos, line);
}

TEST_CASE("with health.path that word is not enough, and the path's answer is") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.good]
hosts = ["good"]
command = ["$PYTHON", "$APPS/says_ready.py", "READY=1"]
health.path = "/healthz"
[apps.bad]
command = ["$PYTHON", "$APPS/says_ready.py", "READY=1"]
health.path = "/sick"
boot_timeout = "1s"
)");
  portherd.expect_line("worker is ready app=good");
  const std::string line = portherd.expect_line("worker did not become ready");
  CHECK_MESSAGE(line.find("app=bad") != std::string::npos, line);
  CHECK_MESSAGE(line.find("GET /sick answered 500") != std::string::npos, line);
}

TEST_CASE("one that is ready by its own word is not asked any more") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, serving(R"(, "READY=1")", R"(
[apps.silent]
hosts = ["silent"]
command = ["$PYTHON", "$APPS/says_ready.py"]
)"));
  CHECK(play::get(portherd.port()).body == "here\n");  // so the front knows that it is ready
  const std::size_t before = portherd.lines_with("app.1 | asked").size();
  const std::size_t silent = portherd.lines_with("silent.1 | asked").size();
  portherd.expect_line("silent.1 | asked " + std::to_string(silent + 5) + " times");
  CHECK(portherd.lines_with("app.1 | asked").size() <= before + 1);  // a question may have been on its way
}
