// portherd check: every mistake in the configuration, without starting anything.
#include <nlohmann/json.hpp>

#include "conf/check.h"
#include "conf/print.h"
#include "runtime/text.h"
#include "supervisor/commands/arguments.h"
#include "supervisor/commands/commands.h"
#include "supervisor/commands/complain.h"
#include "supervisor/commands/instance.h"
#include "supervisor/handover.h"

namespace supervisor {
namespace {

// Not for people: a supervisor of perhaps another version asks whether we could go on in its place (judge.h).
int check_state(const char* descriptor) {
  const auto fd = runtime::parse_number(descriptor);
  const runtime::Fd memory(fd && *fd <= 1024 ? static_cast<int>(*fd) : -1);
  const auto text = read_all(memory);
  if (!text) return complain(text.error());
  const auto all = saved::read(*text);
  if (!all) return complain(all.error());
  if (const auto checked = saved::check(*all); !checked) return complain(checked.error());
  print("portherd " PORTHERD_VERSION "\n");
  return kExitDone;
}

// Of the line itself nothing: whoever reads this has the file open.
std::string in_json(const std::vector<conf::Problem>& problems) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const conf::Problem& one : problems)
    all.push_back({{"file", one.file}, {"line", one.line}, {"column", one.column}, {"message", one.sentence}});
  return all.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

int check_command(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "--state") return check_state(argv[2]);
  CLI::App line("Checks the configuration and starts nothing.", argv[0]);
  std::string file;
  bool wants_print = false, wants_json = false;
  line.add_option("-c,--config", file, "the configuration (/etc/portherd/portherd.toml)")->type_name("FILE");
  CLI::Option* const as_print = line.add_flag("--print", wants_print, "show every setting with its origin");
  line.add_flag("--json", wants_json, "the mistakes, for programs")->excludes(as_print);
  if (const auto status = parse(line, argc, argv)) return *status;
  const conf::Loaded loaded = conf::load_and_check(settings_file(file));
  if (wants_json) {
    print(in_json(loaded.problems));
    return loaded.problems.empty() ? kExitDone : complain_of(loaded.problems.size());
  }
  if (!loaded.problems.empty()) return complain(loaded.problems);
  print(wants_print ? conf::print(loaded.settings, &loaded.origins)
                    : settings_file(file) + ": no problem found\n");
  return kExitDone;
}

}  // namespace supervisor
