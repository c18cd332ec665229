// Finds the program of an app's `command` or `python`, as execvp() would for it, but with the app's own PATH
// and folder. Nothing is started here. Also tells which environment decides.
#pragma once
#include <map>
#include <string>
#include <string_view>

#include "conf/settings.h"
#include "runtime/result.h"

namespace conf {

/// The absolute path of `name`: itself if it holds a slash (against `directory`), else the first executable
/// file of that name in the folders of `path` ("/usr/bin:/bin"; relative ones are against `directory`). The
/// Error's sentence says what was looked for, and where.
runtime::Result<std::string> find_program(std::string_view name, std::string_view path,
                                          std::string_view directory);

/// PATH for an app's processes: of its `env`, else of its `env_file`, else our own, else that of a bare
/// system.
std::string search_path(App const& app);

}  // namespace conf
