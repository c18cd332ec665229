// What a front can still do once it serves, as the kernel says it; what it is refused is tried in tests/unit/proxy/fence_test.cpp.
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
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
  std::error_code gone;  // a connection, meanwhile
  for (const auto& entry : fs::directory_iterator(process(pid) / "fd")) found.push_back(fs::read_symlink(entry, gone).string());
  std::erase(found, "");
  return found;
}

play::Ended reload(const play::Supervisor& portherd, const std::string& more) {
  std::ofstream(portherd.config_file(), std::ios::app) << more;
  play::Ended ended = play::portherd({"reload", "-c", portherd.config_file()});
  CAPTURE(ended.err);
  CHECK(ended.status == 0);
  return ended;
}

/// Until then it may accept who comes, and answers by the settings that were.
void wait_for_end_of(play::Supervisor& portherd, pid_t front) {
  portherd.expect_line("the front has ended pid=" + std::to_string(front));
}

nlohmann::json front_of(play::Supervisor& portherd) { return nlohmann::json::parse(portherd.status().text)["front"]; }

bool has_landlock() { return ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0; }

}  // namespace

TEST_CASE("every thread of the front has no capability, can gain none, and has its system calls filtered") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, kSite);
  const pid_t front = portherd.wait_ready().front;
  CHECK_FALSE(play::get(portherd.port()).body.empty());
  CHECK(portherd.lines_with("fence").size() == (has_landlock() ? 0 : 1));
  std::size_t threads = 0;
  for (const auto& thread : fs::directory_iterator(process(front) / "task")) {
    ++threads;
    CHECK(status_of(thread, "NoNewPrivs") == "1");
    CHECK(status_of(thread, "Seccomp") == "2");
    for (const char* const set : {"CapInh", "CapPrm", "CapEff", "CapAmb"}) CHECK(status_of(thread, set) == "0000000000000000");
    if (::geteuid() == 0) CHECK(status_of(thread, "CapBnd") == "0000000000000000");
  }
  CHECK(threads >= 2);
  CHECK(portherd.stop() == 0);
  // What it does at its end was let do: a sanitizer looks for leaks then.
  CHECK(portherd.expect_line("the front has ended").find("exit=\"exit status 0\"") != std::string::npos);
}

TEST_CASE("status --json says how the front is fenced in") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, kSite);
  portherd.wait_ready();
  const auto front = front_of(portherd);
  CHECK(front["no_new_privs"] == true);
  CHECK(front["seccomp"] == 2);
  CHECK(front["capabilities"] == "0000000000000000");
  CHECK((front["landlock"] > 0) == has_landlock());
  CHECK(front["unfenced"].get<std::string>().empty() == has_landlock());
}

TEST_CASE("started by root, the front knows no other root than the folder of the workers' sockets, unless `proxy` leads out of it") {
  if (::geteuid() != 0) return;
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, kSite);
  const pid_t first = portherd.wait_ready().front;
  const fs::path root = fs::read_symlink(process(first) / "root");
  if (root == "/") return;  // a sanitizer is in it
  CHECK(fs::read_symlink(process(first) / "cwd") == root);
  CHECK(front_of(portherd)["root"] == root.string());
  CHECK(std::ranges::count(open_files(first), "/") == 0);

  play::App elsewhere(folder, "elsewhere.sock");
  const std::string proxy = "[apps.other]\nhosts = [\"other\"]\nproxy = [\"unix:elsewhere.sock\"]\n";
  CHECK(reload(portherd, proxy).out.find("front: has to reach sockets of `proxy` (another front") != std::string::npos);
  const pid_t second = portherd.status().front;
  CHECK(second != first);
  CHECK(fs::read_symlink(process(second) / "root") == "/");
  wait_for_end_of(portherd, first);
  play::Peer client = play::connect(portherd.port());
  client.send("GET /far HTTP/1.1\r\nHost: other\r\n\r\n");
  CHECK(elsewhere.accept().read_head().starts_with("GET /far "));
}

TEST_CASE("the front holds sockets, what it was given, and nothing else") {
  if (::geteuid() != 0) return;  // else it is not another user's process, which cannot be looked at either way
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, kSite);
  const pid_t front = portherd.wait_ready().front;
  CHECK_FALSE(play::get(portherd.port()).body.empty());
  const std::vector<std::string> files = open_files(front);
  for (const std::string& file : files) {
    CAPTURE(file);
    const auto begins = [&file](const char* with) { return file.starts_with(with); };
    constexpr const char* kGiven[] = {"socket:", "anon_inode:", "pipe:", "/memfd:", "/dev/null", "/proc/", "/var/tmp", "/tmp"};
    CHECK(std::ranges::any_of(kGiven, begins));
  }
  CHECK(std::ranges::count(files, (process(front) / "statm").string()) == 1);  // who has too much memory lets clients go
}

TEST_CASE("what a reload adds that the front may not reach takes another front; what it leaves out does not") {
  const play::Folder folder;
  folder.write("static/a", "a file");
  auto portherd = play::Supervisor::serve(folder, kSite);
  const pid_t first = portherd.wait_ready().front;

  reload(portherd, "routes = [{ path = \"/static/\", files = \"" + (folder / "static") + "\" }]\n");
  const pid_t second = portherd.status().front;
  CHECK(second != first);
  wait_for_end_of(portherd, first);
  CHECK(play::get(portherd.port(), "/static/a").body == "a file");

  reload(portherd, "[apps.port]\nhosts = [\"port\"]\ncommand = [\"" + play::python() + "\", \"-c\", \"\"\"\nimport http.server, sys\n"
                   "http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()\"\"\", \"{port}\"]\n"
                   "health = { path = \"/\" }\n");
  const pid_t third = portherd.status().front;
  CHECK(third != second);
  wait_for_end_of(portherd, second);
  CHECK(play::get(portherd.port(), "/", "port").body.find("Directory listing") != std::string::npos);

  reload(portherd, "queue_size = 7\n");
  CHECK(portherd.status().front == third);
}

TEST_CASE("files that a link leads to elsewhere are read from there after a reload, and the plan says what that takes") {
  const play::Folder folder;
  folder.write("a/releases/1/file", "old");
  folder.write("a/releases/2/file", "new");
  folder.write("b/releases/3/file", "moved");
  const fs::path link = fs::path(folder / "a") / "current";
  const auto lead_to = [&](const std::string& where) {
    fs::create_directory_symlink(folder / where, link.string() + ".next");
    fs::rename(link.string() + ".next", link);
  };
  lead_to("a/releases/1");
  auto portherd = play::Supervisor::serve(folder, std::string(kSite) + "routes = [{ path = \"/\", files = \"a/current\" }]\n");
  portherd.wait_ready();
  const auto file = [&] { return play::get(portherd.port(), "/file"); };
  CHECK(file().body == "old");
  lead_to("a/releases/2");
  CHECK(file().body == "new");

  lead_to("b/releases/3");
  if (has_landlock()) CHECK(file().status == 403);
  const std::string plan = play::portherd({"plan", "-c", portherd.config_file()}).out;
  CHECK(plan.find("front: has to read files in " + (folder / "b/releases") + " (another front takes over") != std::string::npos);
  const pid_t first = portherd.status().front;
  reload(portherd, "");
  wait_for_end_of(portherd, first);
  CHECK(file().body == "moved");
  const pid_t second = portherd.status().front;
  CHECK(play::portherd({"upgrade", "-c", portherd.config_file()}).status == 0);
  wait_for_end_of(portherd, second);
  CHECK(file().body == "moved");
}

TEST_CASE("the files of a project that was replaced as a whole are read after a reload") {
  const play::Folder folder;
  folder.write("shop/static/file", "old");
  auto portherd = play::Supervisor::serve(folder, std::string(kSite) + "routes = [{ path = \"/\", files = \"shop/static\" }]\n");
  const pid_t first = portherd.wait_ready().front;
  const auto file = [&] { return play::get(portherd.port(), "/file"); };
  CHECK(file().body == "old");
  fs::rename(folder / "shop", folder / "shop.old");
  folder.write("shop/static/file", "new");
  if (has_landlock()) CHECK(file().status == 403);
  reload(portherd, "");
  wait_for_end_of(portherd, first);
  CHECK(file().body == "new");
}

TEST_CASE("the workers that a failed release leaves in force are reached by the next front as well") {
  const play::Folder folder;
  const auto site = [](const std::string& command) {
    return "[listen]\nhttp = [\"127.0.0.1:$PORT\"]\n[apps.app]\nhealth = { path = \"/\" }\ncommand = " + command + "\n";
  };
  auto portherd = play::Supervisor::serve(folder, site(R"(["$PYTHON", "-m", "http.server", "-b", "127.0.0.1", "{port}"])"));
  portherd.wait_ready();
  std::string broken = site(R"(["/bin/false"])");
  broken.replace(broken.find("$PORT"), 5, std::to_string(portherd.port()));
  std::ofstream(portherd.config_file()) << broken;
  CHECK(play::portherd({"reload", "-c", portherd.config_file()}).status == 1);

  const pid_t front = portherd.status().front;
  ::kill(front, SIGKILL);
  portherd.wait_until("there is another front", [front](const play::Status& now) { return now.front != 0 && now.front != front; });
  CHECK(play::get(portherd.port()).status == 200);
}
