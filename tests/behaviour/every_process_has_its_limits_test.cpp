// `rlimits`, `nice`, `no_new_privs` and `strict`: each process of an app has them, however it was started; what this machine
// does not give is told, and with `strict` refused.
#include "play.h"

namespace {

constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.limited]
hosts = ["limited"]
command = ["$PYTHON", "$APPS/mallory.py"]
rlimits = { nofile = { soft = 100, hard = 200 }, core = 0 }
nice = 19
[[apps.limited.services]]
name = "queue"
command = ["sh", "-c", "echo $(ulimit -Sn) $(ulimit -Hn) $(nice) $(grep NoNewPrivs /proc/self/status); exec sleep 1000"]
rlimits = { nofile = 64 }
no_new_privs = false
[apps.forked]
hosts = ["forked"]
directory = "$FOLDER"
wsgi = "hello:app"
python = "$PYTHON"
preload = true
rlimits = { nofile = { soft = 100, hard = 200 }, core = 0 }
nice = 19
)";

constexpr const char* kHello = R"(
import os, resource
def app(environment, start):
    start("200 OK", [])
    with open("/proc/self/status") as status:
        privileges = [line.split()[1] for line in status if line.startswith("NoNewPrivs")]
    try:
        with open("/proc/self/autogroup") as session:
            niceness = session.read().split()[-1]
    except OSError:
        niceness = str(os.nice(0))
    return [("%s %s %d %s %s" % (*resource.getrlimit(resource.RLIMIT_NOFILE), os.nice(0), *privileges, niceness)).encode()]
)";

struct Stage {
  explicit Stage(const std::string& more = "") : portherd((folder.write("hello.py", kHello), play::Supervisor::serve(folder, kConfig + more))) {
    portherd.wait_ready();
  }
  std::string body(const std::string& app, const std::string& target = "/") { return play::get(portherd.port(), target, app).body; }
  void replace(const std::string& what, const std::string& by) const {
    std::string text = folder.read("portherd.toml");
    const std::size_t at = text.find(what);
    REQUIRE(at != std::string::npos);
    folder.write("portherd.toml", text.replace(at, what.size(), by));
  }
  play::Ended reload() const { return play::portherd({"reload", "-c", folder / "portherd.toml"}); }
  play::Folder folder;
  play::Supervisor portherd;
};

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a worker, one that is forked, a service and `exec` have the limits of their app") {
  Stage stage;
  const std::string me = stage.body("limited", "/me/");
  CAPTURE(me);
  CHECK(says(me, R"("files": [100, 200])"));
  CHECK(says(me, R"("core": [0, 0])"));
  CHECK(says(me, R"("nice": 19)"));
  CHECK(says(me, R"("NoNewPrivs": "1")"));
  CHECK(stage.body("forked") == "100 200 19 1 19");
  stage.portherd.expect_line("64 64 19 NoNewPrivs: 0");
  const play::Ended once = play::portherd({"exec", "-c", stage.folder / "portherd.toml", "limited", "--", "sh", "-c",
                                           "echo $(ulimit -Sn) $(ulimit -Hn) $(nice) $(grep NoNewPrivs /proc/self/status)"});
  CHECK(once.out == "100 200 19 NoNewPrivs: 1\n");
  CHECK(once.err.empty());
}

TEST_CASE("another limit is another generation of that app, and of no other") {
  Stage stage;
  const play::Status before = stage.portherd.status();
  stage.replace("soft = 100", "soft = 101");
  const play::Ended plan = play::portherd({"plan", "-c", stage.folder / "portherd.toml"});
  CHECK(says(plan.out, "apps.limited.rlimits: { core = \"0B\", nofile = { soft = 100, hard = 200 } } -> { core = \"0B\", nofile = { soft = 101, hard = "
                       "200 } } (workers are replaced one after the other)"));
  CHECK(stage.reload().status == 0);
  CHECK(says(stage.body("limited", "/me/"), R"("files": [101, 200])"));
  const play::Status after = stage.portherd.status();
  CHECK(after.app("limited").workers.at(0).pid != before.app("limited").workers.at(0).pid);
  CHECK(after.app("forked").workers.at(0).pid == before.app("forked").workers.at(0).pid);
}

// fs.nr_open is beyond root, too.
TEST_CASE("what the machine does not give is told, once, and the app is started all the same") {
  Stage stage;
  stage.replace("hard = 200", "hard = 2000000000");
  CHECK(stage.reload().status == 0);
  const std::string line = stage.portherd.expect_line("a setting is not in force");
  CHECK(says(line, "the app is started all the same"));
  CHECK(says(line, "app=limited"));
  CHECK(says(line, "`nofile` is 2000000000, and "));
  CHECK(says(line, "LimitNOFILE= of a systemd unit"));
  CHECK(says(stage.body("limited", "/me/"), R"("files": [100, )"));
  const play::Ended restarted = play::portherd({"scale", "-c", stage.folder / "portherd.toml", "limited", "2"});
  CHECK(restarted.status == 0);
  CHECK(stage.portherd.lines_with("a setting is not in force").size() == 1);
}

TEST_CASE("with `strict` it is refused, where it stands, and nothing has changed") {
  Stage stage;
  const play::Status before = stage.portherd.status();
  stage.replace("rlimits = { nofile = { soft = 100, hard = 200 }, core = 0 }", "strict = true\nrlimits = { nofile = 2000000000 }");
  const play::Ended refused = stage.reload();
  CHECK(refused.status == 2);
  CHECK(says(refused.err, "portherd.toml:8:1: `nofile` is 2000000000, and "));
  CHECK(says(refused.err, "(and `strict` is on)"));
  CHECK(play::portherd({"check", "-c", stage.folder / "portherd.toml"}).status == 2);
  const play::Status after = stage.portherd.status();
  CHECK(after.app("limited").workers.at(0).pid == before.app("limited").workers.at(0).pid);
  CHECK(says(stage.body("limited", "/me/"), R"("files": [100, 200])"));
}

TEST_CASE("where no cgroup is ours the app is started all the same, or not, as it says") {
  const play::Folder folder;
  std::string config = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
command = ["$PYTHON", "$APPS/says.py"]
pids_max = 100
)";
  auto portherd = play::Supervisor::serve(folder, config);
  CHECK(play::get(portherd.port()).status == 200);
  if (portherd.lines_with("a setting is not in force").empty()) {
    MESSAGE("skipped: a tree of cgroups is delegated to us here");
    return;
  }
  CHECK(says(portherd.expect_line("a setting is not in force"), "`pids_max` needs a cgroup of our own: "));
  folder.write("portherd.toml", folder.read("portherd.toml") + "strict = true\n");
  const play::Ended refused = play::portherd({"reload", "-c", folder / "portherd.toml"});
  CHECK(refused.status == 1);
  CHECK(says(refused.err, "`pids_max` needs a cgroup of our own: "));
  CHECK(says(refused.err, "(and `strict` is on)"));
  CHECK(play::get(portherd.port()).status == 200);
}
