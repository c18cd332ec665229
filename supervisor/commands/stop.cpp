// portherd stop: asks a supervisor to drain and end, and waits until it has.
#include "supervisor/commands/arguments.h"
#include "supervisor/commands/commands.h"
#include "supervisor/commands/complain.h"
#include "supervisor/commands/instance.h"
#include "supervisor/control_client.h"

namespace supervisor {
namespace {

runtime::Result<Reply> ask_to_stop(const std::string& file) {
  TRY(const std::string socket, find_control(file));
  return ask(socket, "stop");
}

}  // namespace

int stop_command(int argc, char** argv) {
  CLI::App line("Finishes what is in flight, ends every process, and returns when that is done.", argv[0]);
  std::string file;
  line.add_option("-c,--config", file, "the configuration it was started with")->type_name("FILE");
  if (const auto status = parse(line, argc, argv)) return *status;
  const auto reply = ask_to_stop(file);
  if (!reply) return complain(reply.error());
  wait_for_end(*reply);
  return kExitDone;
}

}  // namespace supervisor
