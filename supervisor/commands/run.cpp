// portherd run: one app, without a file, or a folder with one.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "conf/source.h"
#include "supervisor/commands/arguments.h"
#include "supervisor/commands/commands.h"
#include "supervisor/commands/complain.h"
#include "supervisor/commands/discover.h"
#include "supervisor/commands/run_flags.h"
#include "supervisor/commands/run_settings.h"
#include "supervisor/commands/supervise.h"
#include "supervisor/local_certificate.h"
#include "supervisor/plan.h"
#include "supervisor/runtime_folder.h"

namespace supervisor {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

void describe(CLI::App& line, RunArguments& into) {
  line.footer(
      "Examples:\n  portherd run shop.wsgi:application --workers 2\n  portherd run -- node server.js");
  line.add_option("TARGET", into.target,
                  "module:attr of a Python app, or a folder (this one)\nin which it is found; or `-- command ...`");
  line.add_option("-b,--bind", into.bind,
                  "where to listen; again for more\n(127.0.0.1:8000; with $PORT *:$PORT)")
      ->type_name("HOST:PORT")
      ->allow_extra_args(false);  // the next word is the target
  line.add_option("-w,--workers", into.workers, "processes, or auto: what this machine is good for\n(1, or $WEB_CONCURRENCY)")
      ->type_name("N");
  line.add_option("--threads", into.threads, "threads of a Python worker, 1 to 1024 (4)")
      ->type_name("N")
      ->check(CLI::Range(1, 1024).description(""));
  line.add_option("--concurrency,--limit-concurrency", into.concurrency, "requests of one worker at the same time\n(its threads; 100 for ASGI)")
      ->type_name("N")
      ->check(CLI::Range(1, 65536).description(""));
  line.add_flag("--tls", into.tls,
                "https too, on the next port, with a certificate\nfor localhost made on first use");
  line.add_option("--tls-bind", into.tls_bind, "where to listen for https (implies --tls)")
      ->type_name("HOST:PORT")
      ->allow_extra_args(false);
  line.add_option_function<std::string>("--uds", [&into](const std::string& path) { into.bind.push_back("unix:" + path); },
                                        "the same as --bind unix:PATH")
      ->type_name("PATH");
  line.add_option("--python", into.python, "interpreter (that of $VIRTUAL_ENV, .venv or venv; or python3)")->type_name("PATH");
  line.add_flag("--factory", into.is_factory, "the target is to be called, and gives the app");
  line.add_flag("--reload", into.reload, "restart the app when its source files change,\nfor development");
  line.add_flag("--preload", into.preload, "import the app once, and fork the workers");
  line.add_option("--chdir", into.chdir, "run in this folder")->type_name("FOLDER");
  line.add_option("--host", into.host, "address alone (127.0.0.1)")->type_name("HOST");
  line.add_option("--port", into.port, "port alone (8000)")->type_name("PORT");
  line.add_option("--env-file", into.env_file, "KEY=VALUE lines for the app's environment")->type_name("FILE");
  line.add_flag_callback("--no-access-log", [&into] { into.has_access_log = false; }, "do not log requests");
  describe_known_flags(line, into);
}

runtime::Result<std::string> prepare_certificate(const RunArguments& arguments) {
  if (!arguments.tls) return std::string();
  TRY(std::string folder, local_certificate_folder());
  TRY_VOID(ensure_local_certificate(folder));
  return folder;
}

std::optional<int> parse_run(int argc, char** argv, RunArguments& into) {
  CLI::App line("Serves one app, without a file.", argv[0]);
  Words words = words_and_command(argc, argv);
  into.command = std::move(words.command);
  describe(line, into);
  if (const auto status = parse(line, words.count, argv)) return status;
  into.tls = into.tls || !into.tls_bind.empty();
  if (into.refused.empty()) return std::nullopt;
  complain(into.refused);
  return kExitUsage;
}

RunEnvironment environment_of_run() {
  return {.port = variable("PORT"),
          .web_concurrency = variable("WEB_CONCURRENCY"),
          .forwarded_allow_ips = variable("FORWARDED_ALLOW_IPS"),
          .virtual_env = variable("VIRTUAL_ENV")};
}

std::string folder_of(const RunArguments& arguments) {
  return arguments.chdir.empty() ? working_folder() : conf::absolute(working_folder(), arguments.chdir);
}

bool is_told_asgi(const RunArguments& arguments) {
  const auto found = std::ranges::find(arguments.gunicorn, "worker_class", &gunicorn::Setting::name);
  return found != arguments.gunicorn.end() && found->texts.front().find("vicorn") != std::string::npos;
}

// Nothing: the command line, or a portherd.toml, says all.
runtime::Result<std::optional<Discovery>> find_app(const RunArguments& arguments, const std::string& here) {
  const RunEnvironment environment = environment_of_run();
  const std::string folder = folder_of_run(arguments, here);
  if (!folder.empty() && file_of_run(arguments, here).empty()) {
    TRY(Discovery found, discover(folder, interpreter_for(arguments, environment, folder)));
    return found;
  }
  std::string target = arguments.target;
  if (!folder.empty() || !arguments.command.empty() || target.find(':') == std::string::npos) return std::nullopt;
  if (arguments.is_factory && !target.ends_with("()")) target += "()";
  const std::string python = interpreter_for(arguments, environment, here);
  if (is_told_asgi(arguments)) {
    Discovery told{.app = {.name = app_name(target), .directory = here, .python = python}, .said = {}};
    gunicorn::serve_python(told.app, gunicorn::Kind::kAsgi, target);
    return told;
  }
  TRY(Discovery found, look_at(target, here, python));
  return found;
}

void say(const RunArguments& arguments, const std::optional<Discovery>& found) {
  if (found) {
    for (const std::string& sentence : found->said) complain(sentence);
    if (arguments.python.empty() && found->app.python != "python3") complain(fmt::format("python is {}", found->app.python));
  }
  for (const std::string& sentence : arguments.said) complain(sentence);
  for (const gunicorn::Setting& setting : arguments.gunicorn) {
    if (const auto sentence = gunicorn::sentence_of(setting.name); !sentence.empty()) complain(sentence);
  }
  if (!variable("GUNICORN_CMD_ARGS").empty()) complain("GUNICORN_CMD_ARGS is not read; `run` takes the same flags");
}

// Only a few programs know it by themselves, and one that does not shows by silence alone.
void say_how_it_listens(const RunArguments& arguments, const conf::Settings& settings) {
  if (arguments.command.empty() || handover_of(settings.apps.front()) != Handover::kListenFds) return;
  complain("its socket is descriptor 3 (LISTEN_FDS, {fd}); a program that wants a port: --env 'PORT={port}'");
}

Reread source_of(const RunArguments& arguments, const std::string& certificates, const std::optional<Discovery>& found) {
  const auto app = found ? std::optional(found->app) : std::nullopt;
  return [arguments, certificates, app, here = folder_of(arguments), environment = environment_of_run()] {
    return run_settings(arguments, environment, here, certificates, app);
  };
}

bool has_file(const conf::Loaded& loaded) {
  return !loaded.origins.empty();
}

}  // namespace

int run_command(int argc, char** argv) {
  RunArguments arguments;
  if (const auto status = parse_run(argc, argv, arguments)) return *status;
  if (std::error_code error; !std::filesystem::is_directory(folder_of(arguments), error)) {
    complain(fmt::format("--chdir {}: there is no such folder", folder_of(arguments)));
    return kExitUsage;
  }
  const auto certificates = prepare_certificate(arguments);
  if (!certificates) return complain(certificates.error());
  const auto found = find_app(arguments, folder_of(arguments));
  if (!found) return complain(found.error());
  const Reread source = source_of(arguments, *certificates, *found);
  const auto loaded = source();
  if (!loaded) return complain(loaded.error());
  if (!loaded->problems.empty()) return complain(loaded->problems);
  say(arguments, *found);
  say_how_it_listens(arguments, loaded->settings);
  return supervise(loaded->settings, /*is_run=*/true, has_file(*loaded) ? source : nullptr);
}

Reread source_of_run(int argc, char** argv) {
  RunArguments arguments;
  if (parse_run(argc, argv, arguments) || file_of_run(arguments, folder_of(arguments)).empty()) return nullptr;
  const auto certificates = prepare_certificate(arguments);
  if (!certificates) return nullptr;
  const Reread source = source_of(arguments, *certificates, std::nullopt);
  const auto loaded = source();
  return loaded && has_file(*loaded) ? source : nullptr;
}

}  // namespace supervisor
