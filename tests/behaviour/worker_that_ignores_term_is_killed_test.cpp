#include "play.h"

TEST_CASE("a worker that ignores TERM is killed after graceful_timeout, with its whole process group") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
command = ["$PYTHON", "$APPS/ignores_term.py"]
graceful_timeout = "200ms"
)");
  const std::string line = portherd.expect_line("started ");
  pid_t worker = 0, child = 0;
  REQUIRE(std::sscanf(line.c_str() + line.find("started "), "started %d and %d", &worker, &child) == 2);
  portherd.wait_ready();

  CHECK(portherd.stop() == 0);
  CHECK_FALSE(play::is_alive(worker));
  CHECK_FALSE(play::is_alive(child));
}

TEST_CASE("when a worker dies the rest of its process group is killed") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
command = ["$PYTHON", "$APPS/ignores_term.py"]
graceful_timeout = "200ms"
)");
  const std::string line = portherd.expect_line("started ");
  pid_t worker = 0, child = 0;
  REQUIRE(std::sscanf(line.c_str() + line.find("started "), "started %d and %d", &worker, &child) == 2);
  portherd.wait_ready();

  ::kill(worker, SIGKILL);
  play::wait_gone(child);
  portherd.wait_until("another is ready", [&](const play::Status& status) {
    return status.all_ready() && status.app("app").workers.at(0).pid != worker;
  });
  CHECK(play::get(portherd.port()).status == 200);
}
