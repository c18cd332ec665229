// portherd status: what runs, or one app of it, as a table or as JSON.
#include "supervisor/commands/commands.h"
#include "supervisor/commands/complain.h"
#include "supervisor/commands/order.h"
#include "supervisor/status_table.h"

namespace supervisor {

int status_command(int argc, char** argv) {
  OrderLine order("status",
                  "Says what runs; with APP, everything about that one. Exit status 3: not\n"
                  "every worker is ready; 7: nothing runs.",
                  argv[0]);
  order.takes_app();
  order.has_json();
  if (const auto status = parse(order.line(), argc, argv)) return *status;
  const auto reply = order.ask([](const auto&) {}, kPatience);
  if (!reply) return complain(reply.error());
  const std::string& text = reply->text;
  print(order.wants_json() ? status_pretty(text) + "\n" : order.app().empty() ? status_table(text) : app_table(text));
  if (is_all_ready(text)) return kExitDone;
  complain("not every worker is ready");
  return kExitNotAllReady;
}

}  // namespace supervisor
