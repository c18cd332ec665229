// portherd version.
#include "supervisor/commands/arguments.h"
#include "supervisor/commands/commands.h"
#include "supervisor/commands/complain.h"

namespace supervisor {

int version_command(int argc, char** argv) {
  CLI::App line("Says which version this is.", argv[0]);
  if (const auto status = parse(line, argc, argv)) return *status;
  print("portherd " PORTHERD_VERSION "\n");
  return kExitDone;
}

}  // namespace supervisor
