// portherd import: another program's file as a portherd.toml, with a comment on each thing that has no equal.
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "conf/print.h"
#include "conf/procfile.h"
#include "conf/source.h"
#include "supervisor/ask_python.h"
#include "supervisor/commands/arguments.h"
#include "supervisor/commands/commands.h"
#include "supervisor/commands/discover.h"
#include "supervisor/gunicorn.h"
#include "supervisor/runtime_folder.h"

namespace supervisor {
namespace {

using runtime::Code;
using runtime::fail;
using runtime::Result;

struct ImportArguments {
  std::string file, target, python;
};

const conf::Address kGunicornsOwn = *conf::parse_address("127.0.0.1:8000");

std::string text_of(const ImportArguments& arguments, const conf::Settings& settings,
                    const conf::Notes& notes, const std::vector<std::string>& left_out) {
  std::string text = fmt::format(
      "# Made of {} by `portherd import`. Paths are relative to the folder that this is put into.\n\n",
      conf::printable(arguments.file, conf::kLongestLine));
  text += conf::print_changed(settings, notes);
  if (!left_out.empty()) text += "\n# What has no equal:\n";
  for (const std::string& sentence : left_out) text += fmt::format("# {}\n", sentence);
  return text;
}

Result<std::string> import_procfile(const ImportArguments& arguments) {
  TRY(const conf::Source source, conf::Source::open(arguments.file));
  const auto lines = conf::parse_procfile(source);
  if (!lines) return fail(Code::kConfig, conf::text(lines.error()));
  conf::Settings settings;
  settings.listen.http.push_back(kGunicornsOwn);
  settings.apps.push_back(conf::app_of_procfile(*lines, app_name(source.folder()), ""));
  conf::App& app = settings.apps.front();
  if (std::filesystem::exists(source.folder() + "/.env")) app.env_file = ".env";
  std::vector<std::string> left_out;
  for (const conf::ProcfileLine& line : *lines) {
    if (line.name == "release")
      left_out.push_back(
          fmt::format("release: a step of a deployment; run it before `portherd restart {}`: {}", app.name,
                      line.command));
  }
  const conf::Notes notes = {
      {fmt::format("apps.{}.env", app.name), "{port} is the port of each worker; clients come to [listen]"}};
  return text_of(arguments, settings, notes, left_out);
}

Result<void> apply_all(const std::string& answer, gunicorn::Draft& draft) {
  const auto json = nlohmann::ordered_json::parse(answer, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("settings") || !json.contains("functions"))
    return fail(Code::kSystem, "Python gave an answer that is none");
  draft.is_sync = true;
  for (const auto& [name, texts] : json["settings"].items()) {
    TRY_VOID(gunicorn::apply({name, texts.get<std::vector<std::string>>()}, draft));
  }
  for (const auto& name : json["functions"]) gunicorn::apply_hook(name.get<std::string>(), draft);
  if (draft.settings.listen.http.empty()) draft.settings.listen.http.push_back(kGunicornsOwn);
  gunicorn::trust_as_by_default(draft);
  return {};
}

// What the file does not say gunicorn is told on its command line.
Result<void> choose_target(const std::string& given, const std::string& python, const std::string& here,
                           gunicorn::Draft& draft) {
  if (!given.empty()) draft.target = given;
  const bool is_said = !draft.target.empty();
  if (is_said && draft.target.find(':') == std::string::npos) draft.target += ":application";
  if (is_said && draft.kind != gunicorn::Kind::kUnknown) return {};
  const auto found = is_said ? look_at(draft.target, here, python) : discover(here, python);
  if (!found || !found->app.is_python())
    return fail(Code::kConfig, "the file does not say which app: `portherd import FILE module:attr`");
  const bool is_asgi = found->app.wsgi.empty();
  draft.target = is_asgi ? found->app.asgi : found->app.wsgi;
  if (is_asgi) draft.kind = gunicorn::Kind::kAsgi;
  return {};
}

Result<std::string> import_gunicorn(const ImportArguments& arguments) {
  const std::string here = working_folder();
  const char* const active = std::getenv("VIRTUAL_ENV");
  const RunEnvironment environment{.virtual_env = active == nullptr ? "" : active};
  const std::string python = interpreter_for({.python = arguments.python}, environment, here);
  TRY(const std::string answer, ask_python({.script = "gunicorn_conf.py",
                                            .arguments = {arguments.file},
                                            .python = python,
                                            .directory = here}));
  conf::Settings settings;
  conf::App app;
  app.name = app_name(arguments.target.empty() ? here : arguments.target);
  gunicorn::Draft draft{.settings = settings, .app = app};
  TRY_VOID(apply_all(answer, draft));
  TRY_VOID(choose_target(arguments.target, python,
                         draft.app.directory.empty() ? here : conf::absolute(here, draft.app.directory), draft));
  TRY_VOID(gunicorn::finish(draft));
  if (python != "python3")
    app.python = python.starts_with(here + "/") ? python.substr(here.size() + 1) : python;
  gunicorn::serve_python(app, draft.kind, draft.target);
  settings.apps.push_back(app);
  return text_of(arguments, settings, draft.notes, draft.left_out);
}

Result<std::string> import_file(const ImportArguments& arguments) {
  const std::string name = std::filesystem::path(arguments.file).filename().string();
  std::error_code error;
  if (!std::filesystem::is_regular_file(arguments.file, error))
    return fail(Code::kConfig,
                fmt::format("{} is no file", conf::printable(arguments.file, conf::kLongestLine)));
  if (name.starts_with("Procfile")) return import_procfile(arguments);
  if (name.ends_with(".py")) return import_gunicorn(arguments);
  return fail(Code::kConfig,
              fmt::format("{} is neither a Procfile nor a gunicorn.conf.py", conf::printable(name)));
}

}  // namespace

int import_command(int argc, char** argv) {
  CLI::App line(
      "Prints a portherd.toml that says what a gunicorn.conf.py or a Procfile says, with a comment on each "
      "thing that has no equal.",
      argv[0]);
  line.footer(
      "\nExamples:\n  portherd import gunicorn.conf.py shop.wsgi:application > portherd.toml\n  portherd "
      "import Procfile > portherd.toml");
  ImportArguments arguments;
  line.add_option("FILE", arguments.file, "gunicorn.conf.py, or Procfile")->required()->type_name("");
  line.add_option("TARGET", arguments.target, "module:attr, where gunicorn was told it on its command line")
      ->type_name("");
  line.add_option("--python", arguments.python,
                  "interpreter that evaluates gunicorn.conf.py\n(that of $VIRTUAL_ENV, .venv or venv, or python3)")
      ->type_name("PATH");
  if (const auto status = parse(line, argc, argv)) return *status;
  const auto text = import_file(arguments);
  if (!text) return complain(text.error());
  print(*text);
  return kExitDone;
}

}  // namespace supervisor
