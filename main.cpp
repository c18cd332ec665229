// argv as a table of verbs. What a verb does: supervisor/commands/. The hidden verb `front` is how the
// supervisor makes the second process out of the same binary (proxy/front.h).
#include <cstdio>
#include <string>
#include <string_view>

#include "conf/manual.h"
#include "proxy/front.h"
#include "runtime/text.h"
#include "supervisor/commands/commands.h"
#include "supervisor/handover.h"

namespace {

int front_command(int argc, char** argv) {
  const auto channel = runtime::parse_number(argc == 4 ? argv[1] : "");
  const auto board = runtime::parse_number(argc == 4 ? argv[2] : "");
  const auto herd = runtime::parse_number(argc == 4 ? argv[3] : "");
  if (!channel || !board || !herd) {
    std::fprintf(stderr, "%s: the supervisor starts the front, nobody else; see `portherd help`\n", argv[0]);
    return 2;
  }
  return proxy::run_front({.channel = static_cast<int>(*channel),
                           .scoreboard = static_cast<int>(*board),
                           .herd_board = static_cast<int>(*herd)});
}

struct Verb {
  std::string_view name;
  int (*command)(int argc, char** argv);
  const char* meaning;  // null: not for people
};

constexpr Verb kVerbs[] = {
    {"run", supervisor::run_command, "serve one app, without a file"},
    {"serve", supervisor::serve_command, "serve every app of the configuration"},
    {"check", supervisor::check_command, "check the configuration and start nothing"},
    {"plan", supervisor::plan_command, "say what a reload would change"},
    {"reload", supervisor::reload_command, "put the changed configuration in force"},
    {"status", supervisor::status_command, "say what runs"},
    {"logs", supervisor::logs_command, "show what an app printed"},
    {"restart", supervisor::restart_command, "roll an app to a new generation"},
    {"rollback", supervisor::rollback_command, "roll an app back to the generation before"},
    {"scale", supervisor::scale_command, "set how many workers an app has"},
    {"pause", supervisor::pause_command, "hold an app's requests"},
    {"resume", supervisor::resume_command, "let them go on"},
    {"maintenance", supervisor::maintenance_command, "answer an app's requests with a page, or no longer"},
    {"start", supervisor::start_command, "start an app that was stopped"},
    {"stop", supervisor::stop_command, "finish what is in flight and end, or one app"},
    {"upgrade", supervisor::upgrade_command, "replace the running program in place"},
    {"exec", supervisor::exec_command, "run a command as one of an app's processes"},
    {"import", supervisor::import_command, "print a configuration made of gunicorn's, or of a Procfile"},
    {"completion", supervisor::completion_command, "print what makes a shell complete all this"},
    {"version", supervisor::version_command, "say which version this is"},
    {"--version", supervisor::version_command, nullptr},
    {"front", front_command, nullptr},
};

int print_usage(std::FILE* to, int status) {
  std::fputs("usage: portherd VERB ...    (portherd VERB --help says more)\n\n", to);
  for (const Verb& verb : kVerbs) {
    if (verb.meaning != nullptr)
      std::fprintf(to, "  %-11.*s  %s\n", static_cast<int>(verb.name.size()), verb.name.data(), verb.meaning);
  }
  return status;
}

// For the completion of a shell.
int print_verbs() {
  for (const Verb& verb : kVerbs) {
    if (verb.meaning != nullptr) std::printf("%.*s\n", static_cast<int>(verb.name.size()), verb.name.data());
  }
  return 0;
}

// For portherd(1): the part of each verb.
int print_manual() {
  for (const Verb& verb : kVerbs) {
    if (verb.meaning == nullptr) continue;
    std::string call = "portherd " + std::string(verb.name), what = "--manual";
    char* arguments[] = {call.data(), what.data(), nullptr};
    if (const int status = verb.command(2, arguments); status != 0) return status;
  }
  return 0;
}

// For portherd.toml(5).
int print_settings_manual() {
  std::fputs(conf::settings_manual().c_str(), stdout);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (supervisor::is_handed_over()) return supervisor::adopt_command(argc, argv);
  const std::string_view name = argc > 1 ? argv[1] : "";
  for (const Verb& verb : kVerbs) {
    if (verb.name != name) continue;
    std::string call = "portherd " + std::string(name);  // what messages call it
    argv[1] = call.data();
    return verb.command(argc - 1, argv + 1);
  }
  if (name == "help" || name == "--help" || name == "-h") return print_usage(stdout, 0);
  if (name == "--words") return print_verbs();
  if (name == "--manual") return print_manual();
  if (name == "--settings-manual") return print_settings_manual();
  if (!name.empty()) std::fprintf(stderr, "portherd: there is no verb `%s`\n", argv[1]);
  return print_usage(stderr, 2);
}
