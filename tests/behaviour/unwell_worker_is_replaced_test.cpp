#include "play.h"

TEST_CASE("a worker that fails its health probes is replaced before it ends, and no request fails") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
command = ["$PYTHON", "$APPS/turns_bad.py"]
health = { path = "/healthz", interval = "50ms", failures = 2 }
)");
  const pid_t first = portherd.wait_ready().app("app").workers.at(0).pid;
  CHECK(play::get(portherd.port(), "/break").status == 200);
  const std::string told = portherd.expect_line("a worker fails its health probes");
  CHECK_MESSAGE(told.find("GET /healthz answered 500") != std::string::npos, told);
  const std::string replaced = portherd.expect_line("a worker is being replaced");
  CHECK_MESSAGE(replaced.ends_with("cause=health"), replaced);
  play::wait_gone(first);
  CHECK(play::get(portherd.port(), "/").status == 200);
  CHECK(portherd.wait_ready().app("app").failed == 0);
}
