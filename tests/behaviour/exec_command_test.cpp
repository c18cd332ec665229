// `portherd exec`: a command as one of an app's processes would run it.
#include <sys/stat.h>
#include <unistd.h>

#include "play.h"

namespace {

struct Stage {
  explicit Stage(const std::string& more = "") {
    folder.write(".env", "COLOR=blue\nSHAPE=round\n");
    file = folder.write("portherd.toml", "[listen]\nhttp = [\"127.0.0.1:1\"]\n[apps.shop]\ndirectory = \"" + folder.path() +
                                             "\"\ncommand = [\"/bin/sleep\", \"1\"]\nenv_file = \".env\"\n"
                                             "env = { COLOR = \"red\" }\numask = \"0027\"\n" +
                                             more);
  }
  play::Ended exec(const play::Arguments& command, const play::Environment& more = {}) const {
    play::Arguments all{"exec", "-c", folder / "portherd.toml", "shop", "--"};
    all.insert(all.end(), command.begin(), command.end());
    return play::portherd(all, "/", more);
  }
  play::Folder folder;
  std::string file;
};

}  // namespace

TEST_CASE("exec has the app's environment, umask and folder, and neither socket nor NOTIFY_SOCKET") {
  const Stage stage;
  const play::Ended ended =
      stage.exec({"sh", "-c", "echo $COLOR $SHAPE; umask; pwd; echo [$LISTEN_FDS$NOTIFY_SOCKET$SECRET] $TERM"},
                 {{"LISTEN_FDS", "1"}, {"NOTIFY_SOCKET", "/run/x"}, {"SECRET", "s"}, {"TERM", "vt100"}});
  CHECK(ended.err.empty());
  CHECK(ended.out == "red round\n0027\n" + stage.folder.path() + "\n[] vt100\n");
  CHECK(ended.status == 0);
}

TEST_CASE("exec ends as its command does") {
  const Stage stage;
  CHECK(stage.exec({"sh", "-c", "exit 7"}).status == 7);
  CHECK(stage.exec({"sh", "-c", "kill -TERM $$"}).status == -SIGTERM);
  CHECK(stage.exec({"sh", "-c", "echo $0 $1", "-c", "--"}).out == "-c --\n");
}

TEST_CASE("exec runs as the app's user") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: needs root, to be somebody else");
    return;
  }
  const Stage stage("user = \"nobody\"\n");
  CHECK(stage.exec({"id", "-un"}).out == "nobody\n");
}

TEST_CASE("what exec cannot do it says, with an exit status of its own") {
  const Stage stage;
  const play::Ended nothing = stage.exec({});
  CHECK(nothing.status == 2);
  const play::Ended absent = stage.exec({"no-such-program"});
  CHECK(absent.status == 127);
  CHECK(absent.err.find("no-such-program") != std::string::npos);
  stage.folder.write("broken", "#!/no/such/interpreter\n");
  REQUIRE(::chmod((stage.folder / "broken").c_str(), 0755) == 0);
  const play::Ended broken = stage.exec({"./broken"});
  CHECK(broken.status == 126);
  CHECK(broken.err == "portherd: " + stage.folder / "broken" + ": cannot start the program: No such file or directory\n");
  CHECK(stage.exec({stage.folder.path()}).status == 126);
  CHECK(stage.exec({"./no-such-program"}).status == 127);
  const play::Ended app = play::portherd({"exec", "-c", stage.folder / "portherd.toml", "shpo", "--", "true"});
  CHECK(app.status == 2);
  CHECK(app.err == "portherd: there is no app `shpo`; there are shop\n");
}
