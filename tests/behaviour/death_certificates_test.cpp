#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "play.h"

namespace {

constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
command = ["$PYTHON", "$APPS/dies.py"]
)";

constexpr std::uint64_t kMebibyte = 1 << 20;
constexpr std::uint64_t kMost = 512 * kMebibyte;  // far more than the supervisor has: the largest in the group is killed

// A control group of our own with a limit of memory, where one may be made: cgroup v1, and we are root.
class MemoryLimit {
 public:
  explicit MemoryLimit(std::uint64_t bytes)
      : folder_("/sys/fs/cgroup/memory/portherd-test-" + std::to_string(::getpid())) {
    std::error_code why_not;
    is_made_ = std::filesystem::create_directory(folder_, why_not) && write("memory.limit_in_bytes", bytes);
    if (!is_made_) MESSAGE("skipped: no control group can be made here");
  }
  ~MemoryLimit() {
    std::error_code why_not;
    std::filesystem::remove(folder_, why_not);  // one that is empty goes like a folder
  }
  MemoryLimit(const MemoryLimit&) = delete;
  MemoryLimit& operator=(const MemoryLimit&) = delete;

  explicit operator bool() const { return is_made_; }
  void take_in(pid_t pid) { REQUIRE(write("cgroup.procs", static_cast<std::uint64_t>(pid))); }

 private:
  bool write(const char* file, std::uint64_t number) {
    std::ofstream out(folder_ / file);
    return static_cast<bool>(out << number << std::flush);
  }
  std::filesystem::path folder_;
  bool is_made_ = false;
};

pid_t worker_of(play::Supervisor& portherd, pid_t other_than) {
  const auto is_there = [other_than](const play::Status& now) {
    return now.all_ready() && now.app("app").workers.at(0).pid != other_than;
  };
  return portherd.wait_until("another worker is ready", is_there).app("app").workers.at(0).pid;
}

// The line that is written about the end of a worker that was asked for something that it dies of.
std::string death_of(play::Supervisor& portherd, pid_t pid, const std::string& path) {
  play::Peer client = play::connect(portherd.port());
  client.send("POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  CHECK(client.read_answer().status == 502);
  return portherd.expect_line("worker has ended unexpectedly app=app worker=1 pid=" + std::to_string(pid) + " ");
}

bool has(const std::string& line, const std::string& text) { return line.find(text) != std::string::npos; }

}  // namespace

TEST_CASE("each end of a worker has its own certificate") {
  const play::Folder folder;
  MemoryLimit limit(kMost);
  auto portherd = play::Supervisor::serve(folder, kConfig);
  pid_t pid = worker_of(portherd, 0);
  for (int i = 0; i < 3; ++i) CHECK(play::get(portherd.port()).status == 200);
  const auto has_counted = [](const play::Status& now) { return now.app("app").workers.at(0).served == 3; };
  portherd.wait_until("they have been counted", has_counted);

  ::kill(pid, SIGKILL);
  std::string line = portherd.expect_line("worker has ended unexpectedly app=app worker=1 pid=" + std::to_string(pid));
  CAPTURE(line);
  CHECK(has(line, "exit=\"killed from outside (SIGKILL)\""));
  CHECK(has(line, " served=3 "));
  CHECK(has(line, " in_flight=0 "));

  pid = worker_of(portherd, pid);
  line = death_of(portherd, pid, "/exit");
  CHECK(has(line, "exit=\"exit status 3\""));
  CHECK(has(line, " served=0 "));
  CHECK(has(line, "MiB in_flight=1 ages="));
  CHECK(has(line, "output=\"the licence has run out\""));

  pid = worker_of(portherd, pid);
  line = death_of(portherd, pid, "/crash");
  CHECK(has(line, "exit=\"crashed (SIGSEGV)\""));

  pid = worker_of(portherd, pid);
  if (!limit) return;
  // Whoever comes next lives in the group of who starts it.
  limit.take_in(portherd.pid());
  ::kill(pid, SIGKILL);
  pid = worker_of(portherd, pid);
  line = death_of(portherd, pid, "/grow");
  CAPTURE(line);
  CHECK(has(line, "exit=\"out of memory (SIGKILL)\""));
  CHECK(std::stoul(line.substr(line.find(" peak=") + 6)) > kMost / kMebibyte / 2);
  CHECK(worker_of(portherd, pid) != 0);
}

TEST_CASE("the ages of requests are told that have been in flight for long") {
  const play::Folder folder;
  folder.write("gate", "");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
command = ["$PYTHON", "$APPS/works.py"]
)");
  const pid_t pid = worker_of(portherd, 0);
  play::Peer one = play::connect(portherd.port()), other = play::connect(portherd.port());
  one.send("POST /1000000 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  other.send("POST /1000000 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  portherd.wait_until("both are in flight", [](const play::Status& now) { return now.app("app").busy == 2; });

  ::kill(pid, SIGKILL);
  const std::string line = portherd.expect_line("worker has ended unexpectedly");
  CAPTURE(line);
  CHECK(has(line, " in_flight=2 "));
  CHECK(one.read_answer().status == 502);
  CHECK(other.read_answer().status == 502);
}

TEST_CASE("without a word from the front nobody knows what was in flight, and the end is told all the same") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, kConfig);
  const play::Status before = portherd.wait_ready();
  ::kill(before.front, SIGSTOP);
  ::kill(before.app("app").workers.at(0).pid, SIGKILL);
  CHECK(has(portherd.expect_line("worker has ended unexpectedly"), " in_flight=unknown "));
  ::kill(before.front, SIGCONT);  // or another is started by now
  portherd.wait_ready();
  CHECK(play::get(portherd.port()).status == 200);
  CHECK(portherd.lines_with("worker has ended unexpectedly").size() == 1);
}

TEST_CASE("an app that becomes ready and dies over and over is told of in full three times, and counted from then on") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, kConfig);
  pid_t pid = 0;
  for (int i = 0; i < 8; ++i) {
    pid = worker_of(portherd, pid);
    play::Peer client = play::connect(portherd.port());
    client.send("POST /exit HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    CHECK(client.read_answer().status == 502);
  }
  const std::string line = portherd.expect_line(" in_a_row=8");
  CAPTURE(line);
  CHECK(has(line, "worker ends unexpectedly again and again app=app worker=1 pid=" + std::to_string(pid) + " exit=\"exit status 3\" uptime="));
  CHECK_FALSE(has(line, "licence"));
  CHECK(portherd.lines_with("worker has ended unexpectedly").size() == 3);
  CHECK(portherd.lines_with("again and again").size() == 2);
  CHECK(has(play::portherd({"status", "app", "-c", portherd.config_file()}).out, "exit status 3"));

  // Another cause is news.
  pid = worker_of(portherd, pid);
  CHECK(has(death_of(portherd, pid, "/crash"), "crashed (SIGSEGV)"));
}
