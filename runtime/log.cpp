#include "runtime/log.h"

#include <unistd.h>

#include <atomic>

#include "runtime/clock.h"

namespace runtime {
namespace {

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
  std::string line = rfc3339(std::chrono::system_clock::now());
  line += ' ';
  line += log_line(level, g_process, sentence, pairs);
  line += '\n';
  // Nobody to tell if the log cannot be written.
  [[maybe_unused]] const auto n = ::write(g_fd.load(std::memory_order_relaxed), line.data(), line.size());
}

void log_as(std::string_view process, Level least) {
  g_process = process;
  g_least = least;
}

void log_to(Fd fd) {
  const int current = g_fd.load();
  if (current == STDERR_FILENO) {
    g_fd = fd.release();
  } else {
    ::dup3(fd.get(), current, 02000000 /* O_CLOEXEC */);
  }
}

}  // namespace runtime
