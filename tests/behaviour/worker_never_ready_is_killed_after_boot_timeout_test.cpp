#include "play.h"

TEST_CASE("a worker that accepts but never answers the probe is killed, and its clients get 503") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
command = ["$PYTHON", "$APPS/never_ready.py"]
boot_timeout = "1s"
)");
  play::Peer early = play::connect(portherd.port());
  early.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string line = portherd.expect_line("started ");
  const pid_t first = std::stoi(line.substr(line.find("started ") + 8));

  const play::Answer answer = early.read_answer();
  CHECK(answer.status == 503);
  CHECK_FALSE(answer.field("Retry-After").empty());
  play::wait_gone(first);
  const play::Status next = portherd.wait_until("another one is tried", [&](const play::Status& status) {
    return status.app("app").workers.at(0).state == "starting" &&
           status.app("app").workers.at(0).pid != first;
  });
  CHECK(next.exit_status == 3);
  CHECK(next.app("app").workers.at(0).last_exit.find("boot_timeout") != std::string::npos);
}

TEST_CASE("after the first boot has failed clients are not kept waiting") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
command = ["$PYTHON", "$APPS/never_ready.py"]
boot_timeout = "500ms"
queue_timeout = "1h"
)");
  CHECK(play::get(portherd.port()).status == 503);  // waited for the boot
  CHECK(play::get(portherd.port()).status == 503);  // did not wait for queue_timeout
}

TEST_CASE("a health probe asks for the app's own host: an app that answers to no other becomes ready") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
hosts = ["*", "shop.example.com"]
command = ["$PYTHON", "$APPS/knows_its_name.py"]
health.path = "/healthz"
)");
  CHECK(portherd.wait_ready().app("app").ready().size() == 1);
}

TEST_CASE("a worker that its probes found wanting is killed with their reason") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
command = ["$PYTHON", "$APPS/knows_its_name.py"]
health.path = "/healthz"
boot_timeout = "1s"
)");
  const std::string line = portherd.expect_line("worker did not become ready");
  CHECK_MESSAGE(line.find("not ready within boot_timeout") != std::string::npos, line);
  CHECK_MESSAGE(line.find("GET /healthz answered 400") != std::string::npos, line);
}
