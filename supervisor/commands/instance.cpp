#include "supervisor/commands/instance.h"

#include <fmt/format.h>
#include <unistd.h>

#include "conf/load.h"

namespace supervisor {

using runtime::Code;
using runtime::fail;
using runtime::Result;

std::string settings_file(const std::string& given) {
  return given.empty() ? kSystemFile : given;
}

Result<std::string> choose_instance(const std::vector<Instance>& living, const std::string& directory) {
  const Instance* found = nullptr;
  std::size_t here = 0;
  for (const Instance& instance : living) {
    if (instance.directory != directory) continue;
    found = &instance;
    ++here;
  }
  if (here == 1 || (here == 0 && living.size() == 1))
    return (found != nullptr ? *found : living.front()).control;
  if (living.empty())
    return fail(Code::kNotRunning, "not running: no supervisor of yours was found; -c FILE names one");
  const std::string where = here > 1 ? " in this folder" : "";
  return fail(Code::kConfig, fmt::format("{} supervisors run{}: say which one with -c FILE",
                                         here > 1 ? here : living.size(), where));
}

// A file with a mistake in it still says where the one that was started from it answers.
Result<std::string> find_control(const std::string& given) {
  if (!given.empty() || ::access(kSystemFile, F_OK) == 0) {
    const conf::Loaded loaded = conf::load(settings_file(given));
    if (!loaded.settings.control.socket.empty()) return loaded.settings.control.socket;
    if (!loaded.problems.empty()) return fail(Code::kConfig, conf::text(loaded.problems.front()));
  }
  return choose_instance(living_instances(), working_folder());
}

}  // namespace supervisor
