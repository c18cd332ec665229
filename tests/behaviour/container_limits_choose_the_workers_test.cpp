// As process 1 of a container with 256 MiB and a part of a CPU: `workers = "auto"` chooses what docs/containers.md says. The
// limits are a cgroup's of version 1, where one may be made; version 2 by prepared files: tests/unit/runtime/machine_test.cpp.
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "play.h"
#include "play_process.h"

namespace {

/// A cgroup of version 1 for each of two controllers, gone with it.
class Limits {
 public:
  Limits(const std::string& cpu_quota, const std::string& memory) {
    is_there_ = set("cpu", "cpu.cfs_quota_us", cpu_quota) && set("memory", "memory.limit_in_bytes", memory);
    if (!is_there_) MESSAGE("skipped: no cgroup of version 1 may be made here");
  }
  Limits(const Limits&) = delete;
  Limits& operator=(const Limits&) = delete;
  ~Limits() {
    for (const std::string& folder : folders_) ::rmdir(folder.c_str());
  }
  bool is_there() const { return is_there_; }
  /// Words of a shell by which it goes there.
  std::string enter() const {
    std::string words;
    for (const std::string& folder : folders_) words += "echo $$ > " + folder + "/cgroup.procs && ";
    return words;
  }

 private:
  bool set(const std::string& controller, const std::string& file, const std::string& value) {
    const std::string folder = "/sys/fs/cgroup/" + controller + "/portherd-test-" + std::to_string(::getpid());
    std::error_code failed;
    if (!std::filesystem::create_directory(folder, failed)) return false;
    folders_.push_back(folder);
    return static_cast<bool>(std::ofstream(folder + "/" + file) << value << std::flush);
  }

  std::vector<std::string> folders_;
  bool is_there_ = false;
};

/// portherd as process 1 within them, with one app whose worker holds so much: what it said until it had chosen, and ended.
std::string choice(const Limits& limits, const play::Folder& folder, const std::string& mebibytes) {
  const std::uint16_t port = play::free_port();
  folder.write("app.py", R"(
import os, signal
held = bytearray()" + mebibytes + R"( << 20)
def app(environ, start_response):
    if environ["PATH_INFO"] == "/end":
        os.kill(os.getppid(), signal.SIGTERM)
    start_response("200 OK", [("Content-Length", "0")])
    return []
)");
  folder.write("portherd.toml", "[listen]\nhttp = [\"127.0.0.1:" + std::to_string(port) + "\"]\n[apps.app]\nwsgi = \"app:app\"\npython = \"" +
                                    play::python() + "\"\nworkers = \"auto\"\n");
  const std::string command = limits.enter() + "exec unshare --pid --fork --mount-proc --kill-child " + play::path_of_portherd() + " serve -c portherd.toml";
  const std::string path = folder / "said";
  const runtime::Fd log(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  const pid_t container = play::start({"sh", "-c", command}, folder.path(), {}, log.get(), log.get());
  const auto end = std::chrono::steady_clock::now() + play::kPatience;
  const auto wait_until = [&](const auto& it_is_so) {
    while (!it_is_so()) REQUIRE_MESSAGE(std::chrono::steady_clock::now() < end, folder.read("said"));
  };
  wait_until([&] { return !play::is_refused(port); });
  wait_until([&] { return play::get(port).status == 200 && folder.read("said").find("as many workers as this machine") != std::string::npos; });
  CHECK(play::get(port, "/end").status == 200);
  CHECK(play::wait_for(container) == 0);
  return folder.read("said");
}

bool may_be_a_container() {
  if (play::run({"unshare", "--pid", "--fork", "--mount-proc", "true"}).status == 0) return true;
  MESSAGE("skipped: no PID namespace may be made here");
  return false;
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("half a CPU is one worker, and one thread of the front") {
  const Limits limits("50000", "268435456");
  if (!limits.is_there() || !may_be_a_container()) return;
  const play::Folder folder;
  const std::string said = choice(limits, folder, "1");
  CAPTURE(said);
  CHECK(says(said, "workers=1 cause=\"1 CPUs, memory for "));
  CHECK(says(said, "threads=1"));
}

TEST_CASE("with CPUs enough there are no more workers than fit into the memory") {
  const Limits limits("400000", "268435456");
  if (!limits.is_there() || !may_be_a_container()) return;
  const play::Folder folder;
  const std::string said = choice(limits, folder, "150");
  CAPTURE(said);
  CHECK(says(said, "workers=1 cause=\""));
  CHECK(says(said, " CPUs, memory for 1 of 1"));
}
