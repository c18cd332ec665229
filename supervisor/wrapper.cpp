#include "supervisor/wrapper.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>

#include "runtime/fd.h"
#include "runtime/text.h"

namespace supervisor {
namespace {

// The first line of a file of /proc, or what 256 bytes of it hold.
std::string first_line(const std::string& path) {
  const runtime::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 256> bytes{};
  const auto n = fd ? ::read(fd.get(), bytes.data(), bytes.size()) : -1;
  const std::string_view text(bytes.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
  return std::string(text.substr(0, text.find('\n')));
}

// Of its main thread: who runs one program and waits for it has no other, or starts it there. 0: it has none.
pid_t first_child(pid_t pid) {
  const std::string children = first_line(fmt::format("/proc/{}/task/{}/children", pid, pid));
  return static_cast<pid_t>(runtime::parse_number(children.substr(0, children.find(' '))).value_or(0));
}

}  // namespace

std::optional<Running> running(pid_t pid) {
  std::string name = first_line(fmt::format("/proc/{}/comm", pid));
  if (name.empty()) return std::nullopt;
  return Running{.pid = pid, .name = std::move(name)};
}

pid_t last_of_line(pid_t pid) {
  constexpr int kMostSteps = 16;
  for (int i = 0; i < kMostSteps; ++i) {
    const pid_t child = first_child(pid);
    if (child == 0) break;
    pid = child;
  }
  return pid;
}

std::string told_of_wrapper(const Running& command, const Running& last) {
  if (command.pid == last.pid || command.name == last.name) return {};
  return fmt::format(
      "; {} has started {} (pid {}), which LISTEN_PID does not name: make that the command, or have the shell `exec` it "
      "(docs/other-languages.md)",
      command.name, last.name, last.pid);
}

std::string told_of_wrapper(pid_t command) {
  const auto first = running(command);
  const auto last = running(last_of_line(command));
  return first && last ? told_of_wrapper(*first, *last) : std::string();
}

std::string told_of_port(std::string_view probe) {
  if (!probe.empty() && !probe.starts_with("no answer")) return {};
  return "; its socket is descriptor 3 (LISTEN_FDS, {fd}): a program that wants a port is given one by env = { PORT = '{port}' } "
         "(docs/other-languages.md)";
}

}  // namespace supervisor
