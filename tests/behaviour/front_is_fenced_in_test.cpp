// What a front can still do once it serves, as the kernel says it; what it is refused is tried in tests/unit/proxy/fence_test.cpp.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "play.h"

namespace {

namespace fs = std::filesystem;

constexpr const char* kSite = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
command = ["$PYTHON", "$APPS/says.py"]
)";

fs::path process(pid_t pid) { return "/proc/" + std::to_string(pid); }

/// The value of a line of /proc/PID/status.
std::string status_of(const fs::path& process, const std::string& name) {
  std::ifstream file(process / "status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name + ":")) return line.substr(line.find_first_not_of(" \t", name.size() + 1));
  }
  return "";
}

std::vector<std::string> open_files(pid_t pid) {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator(process(pid) / "fd")) found.push_back(fs::read_symlink(entry).string());
  return found;
}

void reload(const play::Supervisor& portherd, const std::string& more) {
  std::ofstream(portherd.config_file(), std::ios::app) << more;
  const play::Ended ended = play::portherd({"reload", "-c", portherd.config_file()});
  CAPTURE(ended.err);
  CHECK(ended.status == 0);
}

}  // namespace

TEST_CASE("every thread of the front has no capability, can gain none, and has its system calls filtered") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, kSite);
  const pid_t front = portherd.wait_ready().front;
  CHECK_FALSE(play::get(portherd.port()).body.empty());
  CHECK(portherd.lines_with("fence").empty());
  std::size_t threads = 0;
  for (const auto& thread : fs::directory_iterator(process(front) / "task")) {
    ++threads;
    CHECK(status_of(thread, "NoNewPrivs") == "1");
    CHECK(status_of(thread, "Seccomp") == "2");
    for (const char* const set : {"CapInh", "CapPrm", "CapEff", "CapAmb"}) CHECK(status_of(thread, set) == "0000000000000000");
    if (::geteuid() == 0) CHECK(status_of(thread, "CapBnd") == "0000000000000000");
  }
  CHECK(threads >= 2);
}

TEST_CASE("status --json says how the front is fenced in") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, kSite);
  portherd.wait_ready();
  const auto front = nlohmann::json::parse(portherd.status().text)["front"];
  CHECK(front["no_new_privs"] == true);
  CHECK(front["seccomp"] == 2);
  CHECK(front["capabilities"] == "0000000000000000");
}

TEST_CASE("the front holds sockets, what it was given, and nothing else") {
  if (::geteuid() != 0) return;  // else it is not another user's process, which cannot be looked at either way
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, kSite);
  const pid_t front = portherd.wait_ready().front;
  CHECK_FALSE(play::get(portherd.port()).body.empty());
  for (const std::string& file : open_files(front)) {
    CAPTURE(file);
    const auto begins = [&file](const char* with) { return file.starts_with(with); };
    constexpr const char* kGiven[] = {"socket:", "anon_inode:", "pipe:", "/memfd:", "/dev/null", "/var/tmp", "/tmp"};
    CHECK(std::ranges::any_of(kGiven, begins));
  }
}

TEST_CASE("what a reload adds that the front may not reach takes another front; what it leaves out does not") {
  const play::Folder folder;
  folder.write("static/a", "a file");
  auto portherd = play::Supervisor::serve(folder, kSite);
  const pid_t first = portherd.wait_ready().front;

  reload(portherd, "routes = [{ path = \"/static/\", files = \"" + (folder / "static") + "\" }]\n");
  const pid_t second = portherd.status().front;
  CHECK(second != first);
  CHECK(play::get(portherd.port(), "/static/a").body == "a file");

  reload(portherd, "[apps.port]\nhosts = [\"port\"]\ncommand = [\"" + play::python() + "\", \"-c\", \"\"\"\nimport http.server, sys\n"
                   "http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()\"\"\", \"{port}\"]\n"
                   "health = { path = \"/\" }\n");
  const pid_t third = portherd.status().front;
  CHECK(third != second);
  CHECK(play::get(portherd.port(), "/", "port").body.find("Directory listing") != std::string::npos);

  reload(portherd, "queue_size = 7\n");
  CHECK(portherd.status().front == third);
}
