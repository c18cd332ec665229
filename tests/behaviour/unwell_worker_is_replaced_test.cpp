#include "play.h"

namespace {

const std::string kApp = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
command = ["$PYTHON", "$APPS/turns_bad.py"]
)";

/// The same file with this `health`.
void reload(const play::Folder& folder, const play::Supervisor& portherd, const std::string& health) {
  std::string text = folder.read("portherd.toml");
  text.resize(text.find("health = "));
  folder.write("portherd.toml", text + health);
  const play::Ended done = play::portherd({"reload", "-c", portherd.config_file()});
  REQUIRE_MESSAGE(done.status == 0, done.err);
}

}  // namespace

TEST_CASE("a worker that fails its health probes is replaced before it ends, and no request fails") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, kApp + "health = { path = \"/healthz\", interval = \"50ms\", failures = 2 }\n");
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

TEST_CASE("a reload turns the health probes of workers that run on, and off") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, kApp + "health = { path = \"/healthz\" }\n");
  const pid_t first = portherd.wait_ready().app("app").workers.at(0).pid;
  CHECK(play::get(portherd.port(), "/break").status == 200);
  reload(folder, portherd, "health = { path = \"/healthz\", interval = \"50ms\", failures = 2 }\n");
  portherd.expect_line("a worker fails its health probes");
  play::wait_gone(first);

  const pid_t second = portherd.wait_ready().app("app").workers.at(0).pid;
  reload(folder, portherd, "health = { path = \"/healthz\" }\n");
  CHECK(play::get(portherd.port(), "/break").status == 200);
  for (int i = 0; i < 100; ++i) CHECK(play::get(portherd.port(), "/").body == std::to_string(second));
  CHECK(portherd.lines_with("a worker fails its health probes").size() == 1);
}
