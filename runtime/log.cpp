#include "runtime/log.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "runtime/bytes.h"
#include "runtime/clock.h"

namespace runtime {
namespace {

using namespace literals;

constexpr Bytes kAtomic = 4_KiB;  // PIPE_BUF: what poll() promises that a pipe will take

std::string g_process = "portherd";
std::atomic<Level> g_least = Level::kInfo;
// Replaced by dup2 over the same number on reopen, so that a line being written by another thread is never lost.
std::atomic<int> g_fd = STDERR_FILENO;

bool needs_quotes(std::string_view value) {
  if (value.empty()) return true;
  for (const char c : value) {
    if (c <= ' ' || c == '"' || c == '\\' || c == '=' || c == 0x7f) return true;
  }
  return false;
}

void append_value(std::string& line, std::string_view value) {
  if (!needs_quotes(value)) {
    line += value;
    return;
  }
  line += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') line += '\\';
    if (c == '\n') {
      line += "\\n";
    } else if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) {
      line += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      line += c;
    }
  }
  line += '"';
}

std::string stamped(Level level, std::string_view sentence, std::initializer_list<Pair> pairs) {
  return fmt::format("{} {}\n", rfc3339(std::chrono::system_clock::now()), log_line(level, g_process, sentence, pairs));
}

// A file never blocks, and lines of others must not come between the pieces of one.
bool is_file(int fd) {
  struct stat about{};
  return ::fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
}

}  // namespace

std::string_view name(Level level) {
  switch (level) {
    case Level::kDebug: return "debug";
    case Level::kInfo: return "info";
    case Level::kWarning: return "warning";
    case Level::kError: return "error";
  }
  return "";
}

std::string log_line(Level level, std::string_view process, std::string_view sentence,
                     std::initializer_list<Pair> pairs) {
  std::string line = fmt::format("{} {}: {}", name(level), process, sentence);
  for (const Pair& pair : pairs) {
    line += ' ';
    line += pair.key;
    line += '=';
    append_value(line, pair.value);
  }
  return line;
}

void log(Level level, std::string_view sentence, std::initializer_list<Pair> pairs) {
  if (level < g_least.load(std::memory_order_relaxed)) return;
  const std::string line = stamped(level, sentence, pairs);
  // Nobody to tell if the log cannot be written.
  [[maybe_unused]] const auto n = ::write(g_fd.load(std::memory_order_relaxed), line.data(), line.size());
}

bool log_if_taken(std::string_view sentence) {
  return write_if_taken(g_fd.load(std::memory_order_relaxed), stamped(Level::kInfo, sentence, {}));
}

bool write_if_taken(int fd, std::string_view text) {
  const Bytes piece = text.size() > kAtomic && is_file(fd) ? text.size() : kAtomic;
  while (!text.empty()) {
    pollfd ask{fd, POLLOUT, 0};
    if (::poll(&ask, 1, 0) != 1 || (ask.revents & POLLOUT) == 0) return false;
    const auto n = ::write(fd, text.data(), std::min(text.size(), piece));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

void log_as(std::string_view process, Level least) {
  g_process = process;
  g_least = least;
}

void log_at_least(Level least) { g_least = least; }

void log_to(Fd fd) {
  const int current = g_fd.load();
  if (current == STDERR_FILENO) {
    g_fd = fd.release();
  } else {
    ::dup3(fd.get(), current, 02000000 /* O_CLOEXEC */);
  }
}

}  // namespace runtime
