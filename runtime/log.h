// The error log: one line per fact, key=value, to stderr or a file. Not the access log: see proxy/access_log.h.
// Process-wide, because a fact worth a line can turn up anywhere; each line is one write(2), so lines never mix.
#pragma once
#include <fmt/format.h>

#include <initializer_list>
#include <string>
#include <string_view>

#include "runtime/fd.h"
#include "runtime/result.h"

namespace runtime {

enum class Level { kDebug, kInfo, kWarning, kError };

/// One key=value of a line. Values with spaces, quotes or control characters are quoted and escaped.
struct Pair {
  template <class T>
  Pair(std::string_view k, const T& v) : key(k), value(fmt::format("{}", v)) {}
  std::string_view key;
  std::string value;
};

/// `2026-11-24T20:11:41.123Z info supervisor: worker is ready app=shop worker=3 pid=812`
void log(Level, std::string_view sentence, std::initializer_list<Pair> pairs = {});

/// A line that somebody else wrote (what an app prints), as info, whatever the least level is. Never blocks, so that
/// who prints much cannot hold us up; false: not written, or not to its end.
bool log_if_taken(std::string_view sentence);
/// The same for any text and descriptor, which may be one shared with others and is not made non-blocking.
bool write_if_taken(int fd, std::string_view text);

/// "supervisor" or "front": stands in every line. Call once, before other threads exist.
void log_as(std::string_view process, Level least);
/// From now on lines of this level and above. From any thread.
void log_at_least(Level least);
/// Lines go here from now on (default: a copy of stderr). Takes ownership.
void log_to(Fd);
/// The line that log() would write, without the time and the end of line; for tests and for other writers of lines.
std::string log_line(Level, std::string_view process, std::string_view sentence, std::initializer_list<Pair> pairs);

/// "debug", "info", "warning", "error".
std::string_view name(Level);

}  // namespace runtime
