// portherd status: what runs, as a table or as JSON.
#include "supervisor/status_table.h"

#include "supervisor/commands/arguments.h"
#include "supervisor/commands/commands.h"
#include "supervisor/commands/complain.h"
#include "supervisor/commands/instance.h"
#include "supervisor/control_client.h"

namespace supervisor {
namespace {

runtime::Result<Reply> ask_status(const std::string& file) {
  TRY(const std::string socket, find_control(file));
  return ask(socket, "status");
}

}  // namespace

int status_command(int argc, char** argv) {
  CLI::App line("Says what runs. Exit status 3: not every worker is ready; 7: nothing runs.", argv[0]);
  std::string file;
  bool wants_json = false;
  line.add_option("-c,--config", file, "the configuration it was started with")->type_name("FILE");
  line.add_flag("--json", wants_json, "for programs");
  if (const auto status = parse(line, argc, argv)) return *status;
  const auto reply = ask_status(file);
  if (!reply) return complain(reply.error());
  print(wants_json ? status_pretty(reply->text) + "\n" : status_table(reply->text));
  if (is_all_ready(reply->text)) return kExitDone;
  complain("not every worker is ready");
  return kExitNotAllReady;
}

}  // namespace supervisor
