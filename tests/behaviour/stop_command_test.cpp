#include <unistd.h>

#include "play.h"

TEST_CASE("stop returns when all has ended; a second stop finds nobody") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.who]
command = ["$PYTHON", "$APPS/who.py"]
)");
  const play::Status status = portherd.wait_ready();

  CHECK(play::portherd({"stop", "-c", portherd.config_file()}).status == 0);
  CHECK_FALSE(play::is_alive(status.front));
  CHECK_FALSE(play::is_alive(status.app("who").workers.at(0).pid));
  CHECK(portherd.wait_exit() == 0);

  for (const char* const verb : {"stop", "status"}) {
    const play::Ended again = play::portherd({verb, "-c", portherd.config_file()});
    CHECK(again.status == 7);
    CHECK_FALSE(again.err.empty());
  }
}

TEST_CASE("stop and status find the run of this folder without being told") {
  const play::Folder folder;
  folder.write("hello.py", "def app(e, s):\n    s('200 OK', []); return []\n");
  auto portherd =
      play::Supervisor::run(folder, {"hello:app", "--python", "$PYTHON", "--bind", "127.0.0.1:$PORT"});
  CHECK(portherd.status().supervisor == portherd.pid());
  CHECK(play::portherd({"stop"}, folder.path()).status == 0);
  CHECK(portherd.wait_exit() == 0);
}

TEST_CASE("who may not give orders is told so, exit status 4") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: needs root, to be somebody else");
    return;
  }
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.who]
command = ["$PYTHON", "$APPS/who.py"]
)");
  const play::Ended stranger = play::run({"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                                          play::path_of_portherd(), "stop", "-c", portherd.config_file()});
  CHECK(stranger.status == 4);
  CHECK_FALSE(stranger.err.empty());
  CHECK(play::get(portherd.port()).status == 200);
}

TEST_CASE("the supervisor's own group may ask how it goes, and give no orders") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: needs root, to be somebody else");
    return;
  }
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.who]
command = ["$PYTHON", "$APPS/who.py"]
)");
  portherd.wait_ready();
  const auto as_member = [&](const std::string& verb, const std::string& app) {
    play::Arguments command{"setpriv", "--reuid", "65534", "--regid", std::to_string(::getegid()), "--clear-groups",
                            play::path_of_portherd(), verb, "-c", portherd.config_file()};
    if (!app.empty()) command.push_back(app);
    return play::run(command);
  };
  CHECK(as_member("status", "").status == 0);
  CHECK(as_member("status", "who").status == 0);
  const play::Ended stop = as_member("stop", "");
  CHECK(stop.status == 4);
  CHECK(stop.err == "portherd: you may not order `stop` here\n");
  CHECK(as_member("logs", "who").status == 4);
  CHECK(play::get(portherd.port()).status == 200);
}
