// The commands that are an order and no more: the line is parsed, the supervisor obeys, its progress is printed as
// it comes. Those that do more with the answer have a file of their own.
#include "conf/units.h"
#include "supervisor/commands/commands.h"
#include "supervisor/commands/complain.h"
#include "supervisor/commands/order.h"

namespace supervisor {
namespace {

int give(OrderLine& order, int argc, char** argv) {
  if (const auto status = parse(order.line(), argc, argv)) return *status;
  return order.obeyed();
}

int about_app(const char* verb, const char* meaning, int argc, char** argv) {
  OrderLine order(verb, meaning, argv[0]);
  order.takes_app()->required();
  return give(order, argc, argv);
}

int about_all(const char* verb, const char* meaning, int argc, char** argv) {
  OrderLine order(verb, meaning, argv[0]);
  return give(order, argc, argv);
}

}  // namespace

int restart_command(int argc, char** argv) {
  return about_app("restart",
                   "Rolls an app to a new generation, and returns when it serves. If it does\n"
                   "not become ready the old one serves on: exit status 1.",
                   argc, argv);
}

int rollback_command(int argc, char** argv) {
  return about_app("rollback", "Rolls an app back to the generation before, and returns when that serves.", argc,
                   argv);
}

int pause_command(int argc, char** argv) {
  OrderLine order("pause", "Holds an app's new requests, within the bounds of its queue, until `resume`.", argv[0]);
  std::string at_most;
  order.takes_app()->required();
  order.line().add_option("--for", at_most, "how long at the longest: 60s, unless it is said")->type_name("DURATION");
  if (const auto status = parse(order.line(), argc, argv)) return *status;
  if (!at_most.empty()) {
    const auto duration = conf::parse_duration(at_most);
    if (!duration) return complain(runtime::Error{runtime::Code::kConfig, "--for takes a duration like 30s or 2m"});
    order.fields()["milliseconds"] = duration->count();
  }
  return order.obeyed();
}

int resume_command(int argc, char** argv) {
  return about_app("resume", "Lets the requests go on that `pause` holds.", argc, argv);
}

int start_command(int argc, char** argv) {
  return about_app("start", "Starts an app that `stop APP` has stopped.", argc, argv);
}

int reload_command(int argc, char** argv) {
  return about_all("reload",
                   "Puts the changed configuration in force, and returns when it is. A file with\n"
                   "a mistake changes nothing: exit status 2.",
                   argc, argv);
}

int upgrade_command(int argc, char** argv) {
  return about_all("upgrade", "Replaces the running program by the one that is installed now, in place.", argc, argv);
}

int plan_command(int argc, char** argv) {
  OrderLine order("plan", "Says what `reload` would change, and at what cost, and changes nothing.", argv[0]);
  order.has_json();
  return give(order, argc, argv);
}

int scale_command(int argc, char** argv) {
  OrderLine order("scale", "Sets how many workers an app has, until a reload changes its `workers`, or\n"
                           "Portherd is restarted.", argv[0]);
  std::uint64_t workers = 0;
  order.takes_app()->required();
  order.line().add_option("N", workers, "workers, 1 to 1024")->required()->type_name("")->check(CLI::Range(0, 1024).description(""));
  if (const auto status = parse(order.line(), argc, argv)) return *status;
  order.fields()["workers"] = workers;
  return order.obeyed();
}

int maintenance_command(int argc, char** argv) {
  OrderLine order("maintenance", "Answers an app's requests with a 503 and a page that says so, or no longer.",
                  argv[0]);
  std::string mode, message;
  order.line().add_option("MODE", mode, "on or off")->required()->type_name("")->check(CLI::IsMember({"on", "off"}).description(""));
  order.takes_app()->required();
  order.line().add_option("--message", message, "what the page says")->type_name("TEXT");
  if (const auto status = parse(order.line(), argc, argv)) return *status;
  order.fields()["on"] = mode == "on";
  if (!message.empty()) order.fields()["message"] = message;
  return order.obeyed();
}

}  // namespace supervisor
