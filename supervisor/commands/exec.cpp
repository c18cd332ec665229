// portherd exec: a command beside an app, as one of its own processes would run it, at this terminal. Needs no
// supervisor: the configuration says all. The command takes our place, so that its exit status is ours.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "conf/check.h"
#include "supervisor/commands/arguments.h"
#include "supervisor/commands/commands.h"
#include "supervisor/commands/complain.h"
#include "supervisor/commands/instance.h"
#include "supervisor/environment.h"
#include "supervisor/plan.h"

namespace supervisor {
namespace {

// As a shell says it.
constexpr int kNotStarted = 126, kNoProgram = 127;

// Of an app's clean environment nothing knows the terminal.
Variables environment_at_terminal(const Account& account) {
  const Variables own = own_environment();
  Variables base = clean_environment(own, account);
  if (const auto terminal = own.find("TERM"); terminal != own.end()) base.insert(*terminal);
  return base;
}

const conf::App* find_app(const conf::Settings& settings, const std::string& name) {
  const auto found = std::ranges::find(settings.apps, name, &conf::App::name);
  return found != settings.apps.end() ? &*found : nullptr;
}

std::string no_such_app(const conf::Settings& settings, const std::string& name) {
  std::vector<std::string_view> names;
  for (const conf::App& app : settings.apps) names.push_back(app.name);
  return fmt::format("there is no app `{}`; there are {}", name, fmt::join(names, ", "));
}

int run_in_place(const conf::App& app, const std::vector<std::string>& command) {
  const auto account = app_account(app);
  if (!account) return complain(account.error());
  const auto file = file_environment(app);
  if (!file) return complain(file.error());
  auto plan = plan_one_off(app, command, app_environment(app, environment_at_terminal(*account), *file), *account);
  if (!plan) {
    complain(plan.error().text());
    return plan.error().number == EACCES ? kNotStarted : kNoProgram;
  }
  const conf::Powers powers = conf::own_powers();
  for (const conf::Withheld& one : withheld(app, powers)) complain(fmt::format("not in force: {}", one.why));
  bound(*plan, app, powers);
  complain(fmt::format("{}: {}", plan->program, become(*plan).text()));
  return kNotStarted;
}

}  // namespace

int exec_command(int argc, char** argv) {
  CLI::App line("Runs a command with an app's environment, user, umask, limits and folder:\nportherd exec APP -- command ...",
                argv[0]);
  std::string file, name;
  line.add_option("-c,--config", file, "the configuration (/etc/portherd/portherd.toml)")->type_name("FILE");
  line.add_option("APP", name, "the name of an app")->required()->type_name("");
  const Words words = words_and_command(argc, argv);
  if (const auto status = parse(line, words.count, argv)) return *status;
  if (words.command.empty()) {
    complain("say what to run: portherd exec APP -- command ...");
    return kExitUsage;
  }
  const conf::Loaded loaded = conf::load_and_check(settings_file(file));
  if (!loaded.problems.empty()) return complain(loaded.problems);
  const conf::App* app = find_app(loaded.settings, name);
  if (app != nullptr) return run_in_place(*app, words.command);
  complain(no_such_app(loaded.settings, name));
  return kExitUsage;
}

}  // namespace supervisor
