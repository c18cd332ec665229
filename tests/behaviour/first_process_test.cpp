// As process 1 of a container, which here is no more than a PID namespace.
#include <fcntl.h>

#include "play.h"
#include "play_process.h"

TEST_CASE("as process 1: orphans are reaped, TERM drains, and the exit status is 0") {
  if (play::run({"unshare", "--pid", "--fork", "--mount-proc", "true"}).status != 0) {
    MESSAGE("skipped: no PID namespace may be made here");
    return;
  }
  const play::Folder folder;
  const std::uint16_t port = play::free_port();
  const std::string address = "127.0.0.1:" + std::to_string(port);
  const std::string said = folder / "said", app = play::source("tests/apps/first_process.py");
  play::Arguments arguments = {"unshare", "--pid", "--fork", "--mount-proc", "--kill-child", play::path_of_portherd()};
  SUBCASE("by a file") {
    folder.write("portherd.toml", "[listen]\nhttp = [\"" + address + "\"]\n[apps.app]\ncommand = [\"" + play::python() + "\", \"" +
                                      app + "\"]\nenv = { SAID = \"" + said + "\" }\n");
    arguments.insert(arguments.end(), {"serve", "-c", folder / "portherd.toml"});
  }
  SUBCASE("by run") { arguments.insert(arguments.end(), {"run", "--bind", address, "--", play::python(), app}); }
  const runtime::Fd log(::open(said.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  const pid_t container = play::start(arguments, folder.path(), {{"SAID", said}}, log.get(), log.get());
  const auto end = std::chrono::steady_clock::now() + play::kPatience;
  while (play::is_refused(port)) REQUIRE_MESSAGE(std::chrono::steady_clock::now() < end, folder.read("said"));

  for (int i = 0; i < 3; ++i) CHECK(play::get(port, "/orphan").status == 200);
  while (play::get(port, "/zombies").body != "0\n")
    REQUIRE_MESSAGE(std::chrono::steady_clock::now() < end, folder.read("said"));

  const play::Answer last = play::get(port, "/term");
  CHECK(last.status == 200);  // in flight when TERM came
  CHECK(last.is_whole);
  CHECK_MESSAGE(play::wait_for(container) == 0, folder.read("said"));
  CHECK(folder.read("said").find("everything has ended status=0") != std::string::npos);
}
