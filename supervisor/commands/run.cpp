// portherd run: one app, without a file, or a folder with one.
#include <cstdlib>

#include "supervisor/commands/arguments.h"
#include "supervisor/commands/commands.h"
#include "supervisor/commands/complain.h"
#include "supervisor/commands/run_settings.h"
#include "supervisor/commands/supervise.h"
#include "supervisor/local_certificate.h"
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
                  "module:attr of a WSGI app, or a folder with a\nportherd.toml; or `-- command ...`");
  line.add_option("-b,--bind", into.bind,
                  "where to listen; again for more\n(127.0.0.1:8000; with $PORT *:$PORT)")
      ->type_name("HOST:PORT")
      ->allow_extra_args(false);  // the next word is the target
  line.add_option("-w,--workers", into.workers, "processes, or auto: what this machine is good for\n(1, or $WEB_CONCURRENCY)")
      ->type_name("N");
  line.add_option("--threads", into.threads, "threads of a Python worker, 1 to 1024 (4)")
      ->type_name("N")
      ->check(CLI::Range(1, 1024).description(""));
  line.add_flag("--tls", into.tls,
                "https too, on the next port, with a certificate\nfor localhost made on first use");
  line.add_option("--tls-bind", into.tls_bind, "where to listen for https (implies --tls)")
      ->type_name("HOST:PORT")
      ->allow_extra_args(false);
  line.add_option("--python", into.python, "interpreter (python3)")->type_name("PATH");
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
  const auto status = parse(line, words.count, argv);
  into.tls = into.tls || !into.tls_bind.empty();
  return status;
}

Reread source_of(const RunArguments& arguments, const std::string& certificates) {
  return [arguments, certificates, here = working_folder(),
          environment = RunEnvironment{variable("PORT"), variable("WEB_CONCURRENCY")}] {
    return run_settings(arguments, environment, here, certificates);
  };
}

bool has_file(const conf::Loaded& loaded) {
  return !loaded.origins.empty();
}

}  // namespace

int run_command(int argc, char** argv) {
  RunArguments arguments;
  if (const auto status = parse_run(argc, argv, arguments)) return *status;
  const auto certificates = prepare_certificate(arguments);
  if (!certificates) return complain(certificates.error());
  const Reread source = source_of(arguments, *certificates);
  const auto loaded = source();
  if (!loaded) return complain(loaded.error());
  if (!loaded->problems.empty()) return complain(loaded->problems);
  return supervise(loaded->settings, /*is_run=*/true, has_file(*loaded) ? source : nullptr);
}

Reread source_of_run(int argc, char** argv) {
  RunArguments arguments;
  if (parse_run(argc, argv, arguments)) return nullptr;
  const auto certificates = prepare_certificate(arguments);
  if (!certificates) return nullptr;
  const Reread source = source_of(arguments, *certificates);
  const auto loaded = source();
  return loaded && has_file(*loaded) ? source : nullptr;
}

}  // namespace supervisor
