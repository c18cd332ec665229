#include "supervisor/commands/complain.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

namespace supervisor {
namespace {

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return;  // nobody to tell
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

}  // namespace

void complain(std::string_view sentence) {
  write_all(STDERR_FILENO, fmt::format("portherd: {}\n", sentence));
}

int complain(const runtime::Error& error) {
  complain(error.text());
  return exit_status(error.code);
}

int complain(const std::vector<conf::Problem>& problems) {
  std::string all;
  for (const conf::Problem& problem : problems) all += conf::text(problem) + "\n";
  write_all(STDERR_FILENO, all);
  return complain_of(problems.size());
}

int complain_of(std::size_t problems) {
  complain(problems == 1 ? "1 problem" : fmt::format("{} problems", problems));
  return kExitUsage;
}

int exit_status(runtime::Code code) {
  switch (code) {
    case runtime::Code::kConfig:
      return kExitUsage;
    case runtime::Code::kSystem:
      return kExitFailed;
    case runtime::Code::kProtocol:
      return kExitFailed;
    case runtime::Code::kPermission:
      return 4;
    case runtime::Code::kNotRunning:
      return 7;
  }
  return kExitFailed;
}

void print(std::string_view text) {
  write_all(STDOUT_FILENO, text);
}

}  // namespace supervisor
