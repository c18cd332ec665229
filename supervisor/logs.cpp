#include "supervisor/logs.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "runtime/log.h"

namespace supervisor {
namespace {

// Nobody is waited for: a FIFO without a reader is refused, and a line that one which is full does not take is lost.
constexpr int kHow = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

runtime::Result<runtime::Fd> open_one(const std::string& path) {
  runtime::Fd fd = path.empty() ? runtime::duplicate(STDERR_FILENO) : runtime::Fd(::open(path.c_str(), kHow, 0640));
  if (fd) return fd;
  const int why = errno;
  const char* const hint = why == ENXIO ? ": nobody reads there" : "";
  return runtime::fail(runtime::Code::kSystem, fmt::format("cannot open the log {}{}", path.empty() ? "stderr" : path, hint), why);
}

runtime::Level to_level(conf::LogLevel level) {
  switch (level) {
    case conf::LogLevel::kDebug:
      return runtime::Level::kDebug;
    case conf::LogLevel::kInfo:
      return runtime::Level::kInfo;
    case conf::LogLevel::kWarning:
      return runtime::Level::kWarning;
    case conf::LogLevel::kError:
      return runtime::Level::kError;
  }
  return runtime::Level::kInfo;
}

}  // namespace

runtime::Result<LogFiles> open_logs(const conf::Log& settings) {
  TRY(runtime::Fd error, open_one(settings.error.path));
  LogFiles files{.error = std::move(error)};
  if (!settings.access.is_on) return files;
  TRY(runtime::Fd access, open_one(settings.access.path));
  files.access = std::move(access);
  return files;
}

std::vector<runtime::Fd> duplicates(const LogFiles& files) {
  std::vector<runtime::Fd> fds;
  fds.push_back(runtime::duplicate(files.error.get()));
  if (files.access) fds.push_back(runtime::duplicate(files.access.get()));
  return fds;
}

void write_to(const LogFiles& files, conf::LogLevel level) {
  runtime::log_as("supervisor", to_level(level));
  runtime::log_to(runtime::duplicate(files.error.get()));
}

}  // namespace supervisor
