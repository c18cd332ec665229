// portherd serve: everything that a file says, in the foreground, for a service manager.
#include <filesystem>

#include "conf/check.h"
#include "supervisor/commands/arguments.h"
#include "supervisor/commands/commands.h"
#include "supervisor/commands/complain.h"
#include "supervisor/commands/instance.h"
#include "supervisor/commands/supervise.h"

namespace supervisor {

int serve_command(int argc, char** argv) {
  CLI::App line("Serves every app of the configuration, in the foreground.", argv[0]);
  std::string file;
  line.add_option("-c,--config", file, "the configuration (/etc/portherd/portherd.toml)")->type_name("FILE");
  if (const auto status = parse(line, argc, argv)) return *status;
  const std::string path = std::filesystem::absolute(settings_file(file)).string();
  const auto load = [path]() -> runtime::Result<conf::Loaded> { return conf::load_and_check(path); };
  const conf::Loaded loaded = conf::load_and_check(settings_file(file));
  if (!loaded.problems.empty()) return complain(loaded.problems);
  return supervise(loaded.settings, /*is_run=*/false, load);
}

}  // namespace supervisor
