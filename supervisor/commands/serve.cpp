// portherd serve: everything that a file says, in the foreground, for a service manager.
#include <filesystem>

#include "conf/check.h"
#include "supervisor/commands/arguments.h"
#include "supervisor/commands/commands.h"
#include "supervisor/commands/complain.h"
#include "supervisor/commands/instance.h"
#include "supervisor/commands/supervise.h"

namespace supervisor {

namespace {

std::optional<int> parse_serve(int argc, char** argv, std::string& file) {
  CLI::App line("Serves every app of the configuration, in the foreground.", argv[0]);
  line.add_option("-c,--config", file, "the configuration (/etc/portherd/portherd.toml)")->type_name("FILE");
  return parse(line, argc, argv);
}

Reread source_of(const std::string& file) {
  return [path = std::filesystem::absolute(settings_file(file)).string()] { return conf::load_and_check(path); };
}

}  // namespace

int serve_command(int argc, char** argv) {
  std::string file;
  if (const auto status = parse_serve(argc, argv, file)) return *status;
  const conf::Loaded loaded = conf::load_and_check(settings_file(file));
  if (!loaded.problems.empty()) return complain(loaded.problems);
  return supervise(loaded.settings, /*is_run=*/false, source_of(file));
}

Reread source_of_serve(int argc, char** argv) {
  std::string file;
  return parse_serve(argc, argv, file) ? Reread() : source_of(file);
}

}  // namespace supervisor
