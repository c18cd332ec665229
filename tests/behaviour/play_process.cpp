#include "play_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace play {
namespace {

std::mutex g_mutex;
std::vector<pid_t> g_started;  // by start(), and not waited for yet

void forget(pid_t pid) {
  const std::lock_guard lock(g_mutex);
  std::erase(g_started, pid);
}

bool was_started(pid_t pid) {
  const std::lock_guard lock(g_mutex);
  return std::find(g_started.begin(), g_started.end(), pid) != g_started.end();
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

std::vector<std::string> environment_with(Environment more) {
  // No .pyc files: they would be written beside the sources of the project.
  more.emplace("PYTHONDONTWRITEBYTECODE", "1");
  std::vector<std::string> out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::string name = text.substr(0, text.find('='));
    // What the machine that tests set for itself must not decide what `run` does.
    if (name == "PORT" || name == "WEB_CONCURRENCY" || name == "NOTIFY_SOCKET" || name == "LISTEN_FDS")
      continue;
    if (!more.contains(name)) out.push_back(text);
  }
  for (const auto& [name, value] : more) out.push_back(name + "=" + value);
  return out;
}

int status_of(int wait_status) {
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -WTERMSIG(wait_status);
}

std::vector<pid_t> children() {
  std::vector<pid_t> out;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream file(task.path() / "children");
    for (pid_t pid = 0; file >> pid;) out.push_back(pid);
  }
  return out;
}

std::string command_line(pid_t pid) {
  std::ostringstream text;
  text << std::ifstream("/proc/" + std::to_string(pid) + "/cmdline").rdbuf();
  std::string line = text.str();
  std::replace(line.begin(), line.end(), '\0', ' ');
  return line;
}

// Reaps it if it is a zombie: that one has ended, and only nobody had asked.
bool still_runs(pid_t pid) {
  return ::waitpid(pid, nullptr, WNOHANG) == 0;
}

}  // namespace

std::string path_of_portherd() {
  const char* const other = std::getenv("PORTHERD_BINARY");
  return other != nullptr ? other : PORTHERD_BINARY;
}

Pipe::Pipe() {
  int fds[2];
  REQUIRE(::pipe2(fds, O_CLOEXEC) == 0);
  reading.reset(fds[0]);
  writing.reset(fds[1]);
}

pid_t start(const Arguments& arguments, const std::string& directory, const Environment& more, int out,
            int err) {
  std::vector<std::string> argv_texts = arguments, env_texts = environment_with(more);
  const std::vector<char*> argv = pointers(argv_texts), env = pointers(env_texts);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  const std::lock_guard lock(g_mutex);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::dup2(null, 0);
    ::dup2(out, 1);
    ::dup2(err, 2);
    if (::chdir(directory.c_str()) == 0) ::execvpe(argv[0], argv.data(), env.data());
    ::_exit(127);
  }
  REQUIRE(pid > 0);
  g_started.push_back(pid);
  return pid;
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  forget(pid);
  return status_of(status);
}

bool has_ended(pid_t pid, int& status) {
  int wait_status = 0;
  if (::waitpid(pid, &wait_status, WNOHANG) != pid) return false;
  forget(pid);
  status = status_of(wait_status);
  return true;
}

bool drain(const std::vector<std::pair<int, std::string*>>& sources, milliseconds patience) {
  std::vector<pollfd> waits;
  for (const auto& [fd, into] : sources) waits.push_back({fd, POLLIN, 0});
  std::size_t open = waits.size();
  while (open > 0) {
    if (::poll(waits.data(), waits.size(), static_cast<int>(patience.count())) <= 0) return false;
    for (std::size_t i = 0; i < waits.size(); ++i) {
      if (waits[i].revents == 0) continue;
      char buffer[16384];
      const ssize_t count = ::read(waits[i].fd, buffer, sizeof buffer);
      if (count > 0) {
        sources[i].second->append(buffer, static_cast<std::size_t>(count));
      } else {
        waits[i].fd = -1;
        --open;
      }
    }
  }
  return true;
}

void check_nobody_left(const std::string& after_what) {
  for (const pid_t pid : children()) {
    if (was_started(pid) || !still_runs(pid)) continue;
    FAIL_CHECK("left behind by " << after_what << ": process " << pid << ": " << command_line(pid));
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
}

bool is_alive(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  const std::size_t end = text.rfind(')');
  return end != std::string::npos && text.size() > end + 2 && text[end + 2] != 'Z' && text[end + 2] != 'X';
}

// A pidfd becomes readable when the process ends; whose child it is does not matter.
bool ends(pid_t pid) {
  const runtime::Fd watch(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!watch) return true;
  pollfd wait{watch.get(), POLLIN, 0};
  return ::poll(&wait, 1, static_cast<int>(kPatience.count())) == 1;
}

void wait_gone(pid_t pid) {
  REQUIRE_MESSAGE(ends(pid), "process " << pid << " does not end");
}

}  // namespace play
