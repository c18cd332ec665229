// Reads a Procfile: lines of `name: command`, as Heroku, foreman and honcho know them. Blank lines and lines
// that begin with `#` are skipped; what is of another form is a Problem, never a guess. Also what such a line
// becomes: a shell's line, which `exec` makes one process.
#pragma once
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "conf/origin.h"
#include "conf/settings.h"
#include "conf/source.h"

namespace conf {

struct ProcfileLine {
  std::string name;     ///< fit for a service: is_app_name()
  std::string command;  ///< for a shell; not empty, UTF-8
  std::size_t line = 0;
};

/// In the order of the file; no name comes twice.
std::expected<std::vector<ProcfileLine>, Problem> parse_procfile(Source const& source);

/// `command` for `sh -c`, with `exec` where the shell would only stand between us and the program: before its
/// last command, if nothing but `&&` and `;` comes before that. A line that needs its shell to the end (a
/// pipe, a loop) stays as it is.
std::string with_exec(std::string_view command);

/// What the lines come to: `web` becomes the app's command and is told its port by PORT, each other a
/// service, but for `release`, which is a step of Heroku's and no process. Relative paths are against
/// `directory`.
App app_of_procfile(std::vector<ProcfileLine> const& lines, std::string name, std::string directory);

}  // namespace conf
