// portherd logs: what an app's workers have printed last, and what they go on to print.
#include <fmt/format.h>

#include "supervisor/commands/commands.h"
#include "supervisor/commands/complain.h"
#include "supervisor/commands/order.h"

namespace supervisor {
namespace {

using LogJson = nlohmann::ordered_json;

std::string text_at(const LogJson& line, const char* key) {
  const auto found = line.find(key);
  return found != line.end() && found->is_string() ? found->get<std::string>() : "";
}

void print_line(const LogJson& line, const std::string& app, bool wants_json) {
  if (wants_json) return print(line.dump(-1, ' ', false, LogJson::error_handler_t::replace) + "\n");
  const auto dropped = line.find("dropped");
  if (dropped != line.end())
    return complain(fmt::format("{} lines were dropped: they came faster than they were read", dropped->dump()));
  print(fmt::format("{} {}.{} | {}\n", text_at(line, "time"), app, text_at(line, "worker"), text_at(line, "line")));
}

}  // namespace

int logs_command(int argc, char** argv) {
  constexpr std::uint64_t kLines = 100;
  OrderLine order("logs", "Shows what an app's workers printed last.", argv[0]);
  std::uint64_t lines = kLines;
  bool follows = false;
  order.takes_app()->required();
  order.line().add_flag("-f,--follow", follows, "go on with what they print from now on");
  order.line().add_option("-n,--lines", lines, "how many, at most 1000 (100)")->type_name("N");
  order.has_json();
  if (const auto status = parse(order.line(), argc, argv)) return *status;
  order.fields()["lines"] = lines;
  order.fields()["follow"] = follows;
  const auto reply =
      order.ask([&](const LogJson& line) { print_line(line, order.app(), order.wants_json()); });
  return reply ? kExitDone : complain(reply.error());
}

}  // namespace supervisor
