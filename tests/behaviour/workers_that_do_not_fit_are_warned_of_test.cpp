#include "play.h"

TEST_CASE("that not all workers will fit into the memory is said once, when the first one is ready") {
  const play::Folder folder;
  folder.write("large.py", R"(
held = bytearray(128 << 20)
def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "0")])
    return []
)");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
wsgi = "large:app"
python = "$PYTHON"
threads = 8
workers = { min = 1, max = 1000 }
)");
  const std::string line = portherd.expect_line("more workers are wanted than fit into the memory");
  CHECK_MESSAGE(line.find("warning") != std::string::npos, line);
  CHECK_MESSAGE(line.find("one worker with 8 threads uses ") != std::string::npos, line);
  CHECK_MESSAGE(line.find("of 1000 only ") != std::string::npos, line);

  // A second first worker, as after a crash, says it no more.
  const pid_t first = portherd.wait_ready().app("app").ready().at(0);
  ::kill(first, SIGKILL);
  portherd.wait_until("another one is ready", [&](const play::Status& status) {
    const auto ready = status.app("app").ready();
    return ready.size() == 1 && ready.at(0) != first;
  });
  CHECK(portherd.lines_with("than fit into the memory").size() == 1);
}
