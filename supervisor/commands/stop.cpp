// portherd stop: asks a supervisor to drain and end, and waits until it has; or to stop one app.
#include "supervisor/commands/commands.h"
#include "supervisor/commands/complain.h"
#include "supervisor/commands/order.h"

namespace supervisor {

int stop_command(int argc, char** argv) {
  OrderLine order("stop",
                  "Finishes what is in flight, ends every process, and returns when that is\n"
                  "done. With APP only that app's, until `start APP`.",
                  argv[0]);
  order.takes_app();
  if (const auto status = parse(order.line(), argc, argv)) return *status;
  if (!order.app().empty()) return order.obeyed();
  const auto reply = order.ask([](const auto&) {}, kPatience);
  if (!reply) return complain(reply.error());
  wait_for_end(*reply);
  return kExitDone;
}

}  // namespace supervisor
