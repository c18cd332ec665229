// portherd check: every mistake in the configuration, without starting anything.
#include "conf/check.h"
#include "conf/print.h"
#include "supervisor/commands/arguments.h"
#include "supervisor/commands/commands.h"
#include "supervisor/commands/complain.h"
#include "supervisor/commands/instance.h"

namespace supervisor {

int check_command(int argc, char** argv) {
  CLI::App line("Checks the configuration and starts nothing.", argv[0]);
  std::string file;
  bool wants_print = false;
  line.add_option("-c,--config", file, "the configuration (/etc/portherd/portherd.toml)")->type_name("FILE");
  line.add_flag("--print", wants_print, "show every setting with its origin");
  if (const auto status = parse(line, argc, argv)) return *status;
  const conf::Loaded loaded = conf::load_and_check(settings_file(file));
  if (!loaded.problems.empty()) return complain(loaded.problems);
  print(wants_print ? conf::print(loaded.settings, &loaded.origins)
                    : settings_file(file) + ": no problem found\n");
  return kExitDone;
}

}  // namespace supervisor
