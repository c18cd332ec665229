// What an app can do to the others, to the front and to us: nothing. One that is hostile (tests/apps/mallory.py) tries it.
// What holds it is that it is another user: so all of this is for who starts Portherd as root.
#include <sys/resource.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "play.h"

using Json = nlohmann::json;

namespace {

constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.mallory]
hosts = ["mallory"]
command = ["$PYTHON", "$APPS/mallory.py"]
user = "daemon"
rlimits = { nproc = 20, nofile = { soft = 100, hard = 200 }, core = 0 }
nice = 19
umask = "027"
[apps.alice]
hosts = ["alice"]
command = ["$PYTHON", "$APPS/mallory.py"]
user = "bin"
)";

bool is_root() {
  if (::geteuid() == 0) return true;
  MESSAGE("skipped: only root can give each app a user of its own");
  return false;
}

struct Stage {
  play::Folder folder;
  play::Supervisor portherd = play::Supervisor::serve(folder, kConfig);

  std::string ask(const std::string& app, const std::string& target) { return play::get(portherd.port(), target, app).body; }
  Json about(const std::string& app) { return Json::parse(ask(app, "/me/")); }
};

// Of a path, without its first slash, behind a verb.
std::string at(const std::string& verb, const Json& path) { return "/" + verb + path.get<std::string>(); }
std::string of(const std::string& verb, pid_t pid) { return "/" + verb + "/" + std::to_string(pid); }

}  // namespace

TEST_CASE("a worker is of its app's user, in a session of its own, with its limits, and gains no rights") {
  if (!is_root()) return;
  Stage stage;
  const Json me = stage.about("mallory");
  CAPTURE(me.dump());
  CHECK(me["session"] == me["pid"]);
  CHECK(me["group"] == me["pid"]);
  for (int i = 0; i < 3; ++i) {
    CHECK(me["uids"][static_cast<std::size_t>(i)] == 1);
    CHECK(me["gids"][static_cast<std::size_t>(i)] == 1);
  }
  CHECK(me["groups"] == Json{1});
  CHECK(me["nice"] == 19);
  CHECK(me["umask"] == 027);
  CHECK(me["files"] == Json{100, 200});
  CHECK(me["core"] == Json{0, 0});
  CHECK(me["NoNewPrivs"] == "1");
  CHECK(me["CapPrm"] == "0000000000000000");
  CHECK(me["CapEff"] == "0000000000000000");
  CHECK(me["CapAmb"] == "0000000000000000");
  CHECK(me["descriptors"] == Json{0, 1, 2, 3});
  CHECK(stage.about("alice")["nice"] == ::getpriority(PRIO_PROCESS, 0));  // as whoever started us
}

TEST_CASE("what an app may take of the machine ends at its limits") {
  if (!is_root()) return;
  Stage stage;
  const std::string forked = stage.ask("mallory", "/fork/100");
  CHECK(forked.starts_with("EAGAIN after "));
  CHECK(stage.ask("mallory", "/nice/-6") == "EPERM");
  CHECK(stage.ask("mallory", "/files/200") == "done");
  CHECK(stage.ask("mallory", "/files/201") == "EPERM");
  CHECK(stage.ask("alice", "/fork/100") == "done after 100");
  CHECK(stage.portherd.status().all_ready());
}

TEST_CASE("it can neither signal nor look into the front, the supervisor or another app") {
  if (!is_root()) return;
  Stage stage;
  const play::Status before = stage.portherd.wait_ready();
  for (const pid_t pid : {before.supervisor, before.front, before.app("alice").workers.at(0).pid}) {
    CAPTURE(pid);
    const std::string proc = "/proc/" + std::to_string(pid);
    CHECK(stage.ask("mallory", of("kill", pid)) == "EPERM");
    CHECK(stage.ask("mallory", of("trace", pid)) == "EPERM");
    CHECK(stage.ask("mallory", of("take", pid)) == "EPERM");
    CHECK(stage.ask("mallory", "/list" + proc + "/fd") == "EACCES");
    CHECK(stage.ask("mallory", "/open" + proc + "/fd/3") == "EACCES");  // of the front: our order; of alice: her socket
    CHECK(stage.ask("mallory", "/open" + proc + "/mem") == "EACCES");
    CHECK(stage.ask("mallory", "/open" + proc + "/environ") == "EACCES");
  }
  // It is no mistake of the test: alice may do all of that to herself.
  const pid_t alice = before.app("alice").workers.at(0).pid;
  CHECK(stage.ask("alice", "/list/proc/" + std::to_string(alice) + "/fd") != "EACCES");
  CHECK(stage.ask("alice", of("take", alice)) == "done");
  const play::Status after = stage.portherd.status();
  CHECK(after.front == before.front);
  CHECK(after.app("alice").workers.at(0).pid == alice);
}

TEST_CASE("it can neither visit another app behind the front's back, nor speak in its name, nor give orders") {
  if (!is_root()) return;
  Stage stage;
  const Json alice = stage.about("alice"), mallory = stage.about("mallory");
  CHECK(stage.ask("mallory", at("connect", alice["socket"])) == "EACCES");
  CHECK(stage.ask("mallory", at("notify", alice["notify"])) == "EACCES");
  CHECK(stage.ask("mallory", at("notify", mallory["notify"])) == "done");
  const std::string runtime = alice["socket"].get<std::string>();
  CHECK(stage.ask("mallory", at("list", runtime.substr(0, runtime.rfind('/')))) == "EACCES");  // nor learn who is there
  const std::string order = stage.ask("mallory", at("command", stage.folder / "portherd.sock"));
  CHECK((order == "EACCES" || Json::parse(order, nullptr, false).value("code", "") == "permission"));
  CHECK(stage.portherd.status().all_ready());
}
