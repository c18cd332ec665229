#include "supervisor/commands/discover.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "conf/procfile.h"
#include "conf/source.h"
#include "supervisor/ask_python.h"
#include "supervisor/commands/seen.h"
#include "supervisor/gunicorn.h"

namespace supervisor {
namespace {

using gunicorn::Kind;
using runtime::Code;
using runtime::fail;
using runtime::Result;

constexpr std::string_view kLookedFor =
    "no portherd.toml, no Procfile, no Django manage.py, and no app.py, main.py, wsgi.py or asgi.py, here, "
    "in src/ or in a "
    "package, with `app`, `application`, `create_app()` or `make_app()`";
constexpr std::string_view kOtherwise =
    "`portherd run module:attr` or `portherd run -- command ...` serves another";

bool exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

// One that look.py found.
struct Found {
  std::string target, path, file;
  Kind kind = Kind::kUnknown;
};

Kind kind_of(const std::string& word) {
  return word == "wsgi" ? Kind::kWsgi : word == "asgi" ? Kind::kAsgi : Kind::kUnknown;
}

struct Looked {
  std::vector<Found> found;
  std::vector<Found> near;  // what has such a name in a file by another one, where there is nothing else
};

std::vector<Found> all_of(const nlohmann::json& answer) {
  std::vector<Found> all;
  for (const auto& one : answer) {
    if (!one.is_object()) continue;
    all.push_back({.target = one.value("target", ""),
                   .path = one.value("path", ""),
                   .file = one.value("file", ""),
                   .kind = kind_of(one.value("kind", ""))});
  }
  return all;
}

Result<Looked> look(const std::string& folder, const std::string& python, std::vector<std::string> target) {
  TRY(const std::string answer,
      ask_python(
          {.script = "look.py", .arguments = std::move(target), .python = python, .directory = folder}));
  const auto json = nlohmann::json::parse(answer, nullptr, /*allow_exceptions=*/false);
  std::vector<Found> all;
  if (!json.is_object() || !json.contains("found") || !json.contains("near"))
    return fail(Code::kSystem, fmt::format("{} gave an answer that is none", python));
  return Looked{.found = all_of(json["found"]), .near = all_of(json["near"])};
}

Discovery discovery_of(const Found& found, const std::string& folder, const std::string& python) {
  Discovery made;
  made.app.name = app_name(found.target);
  made.app.directory = folder;
  made.app.python = python;
  if (!found.path.empty()) made.app.env["PYTHONPATH"] = conf::absolute(folder, found.path);
  gunicorn::serve_python(made.app, found.kind, found.target);
  if (found.kind == Kind::kAsgi)
    made.said.push_back(fmt::format("{} is an ASGI app", found.target));
  return made;
}

std::unexpected<runtime::Error> nothing_in(const std::string& folder, std::vector<std::string> near = {}) {
  for (std::string& seen : seen_in(folder)) near.push_back(std::move(seen));
  if (!near.empty())
    return fail(Code::kConfig, fmt::format("nothing in {} that `run` takes unasked; {}", folder, fmt::join(near, "; ")));
  return fail(Code::kConfig,
              fmt::format("nothing to run in {}: {}; say what to run: `portherd run module:attr`, "
                          "`portherd run -- command ...`, or write a portherd.toml",
                          folder, kLookedFor));
}

std::string how_to_run(const Found& found) {
  const std::string path = found.path.empty() ? "" : fmt::format("PYTHONPATH={} ", found.path);
  return fmt::format("`{}portherd run {}` ({})", path, found.target, found.file);
}

std::vector<std::string> told_of(const std::vector<Found>& near) {
  std::vector<std::string> all;
  for (const Found& one : near) all.push_back(fmt::format("{} may have one: `portherd run {}`", one.file, one.target));
  return all;
}

Result<Discovery> discover_python(const std::string& folder, const std::string& python) {
  TRY(const Looked looked, look(folder, python, {}));
  const std::vector<Found>& found = looked.found;
  if (found.empty()) return nothing_in(folder, told_of(looked.near));
  if (found.size() > 1) {
    std::vector<std::string> all;
    for (const Found& one : found) all.push_back(how_to_run(one));
    return fail(Code::kConfig,
                fmt::format("more than one app in {}; say which: {}", folder, fmt::join(all, " or ")));
  }
  Discovery made = discovery_of(found.front(), folder, python);
  made.said.insert(made.said.begin(),
                   fmt::format("found {} in {}; {}", found.front().target, found.front().file, kOtherwise));
  return made;
}

Result<Discovery> discover_procfile(const std::string& folder, const std::string& file) {
  TRY(const conf::Source source, conf::Source::open(file));
  const auto lines = conf::parse_procfile(source);
  if (!lines) return fail(Code::kConfig, conf::text(lines.error()));
  Discovery made;
  made.app = conf::app_of_procfile(*lines, app_name(folder), folder);
  if (made.app.command.empty())
    return fail(
        Code::kConfig,
        fmt::format("{} has no `web`, so nothing to serve; say what to run: `portherd run module:attr`, "
                    "`portherd run -- command ...`",
                    file));
  if (exists(folder + "/.env")) made.app.env_file = folder + "/.env";
  made.said.push_back(fmt::format(
      "found Procfile: its `web`, and {} beside it{}; {}",
      made.app.services.size() == 1 ? "1 service" : fmt::format("{} services", made.app.services.size()),
      made.app.env_file.empty() ? "" : ", with the variables of .env", kOtherwise));
  if (std::ranges::find(*lines, "release", &conf::ProcfileLine::name) != lines->end())
    made.said.emplace_back("its `release` is a step of a deployment and is not run");
  return made;
}

// Asking costs an interpreter's start; where nothing of Python is there it need not be there either.
bool has_python(const std::string& folder) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".py" || exists(entry.path().string() + "/__init__.py") ||
        entry.path().filename() == "src")
      return true;
  }
  return false;
}

}  // namespace

std::string interpreter_for(const RunArguments& arguments, const RunEnvironment& environment,
                            const std::string& folder) {
  if (!arguments.python.empty()) return arguments.python;
  for (const std::string& place : {environment.virtual_env, folder + "/.venv", folder + "/venv"}) {
    if (!place.empty() && exists(place + "/bin/python")) return place + "/bin/python";
  }
  return "python3";
}

Result<Discovery> discover(const std::string& folder, const std::string& python) {
  const std::string procfile = folder + "/Procfile";
  if (exists(procfile)) return discover_procfile(folder, procfile);
  if (has_python(folder)) return discover_python(folder, python);
  return nothing_in(folder);
}

Result<Discovery> look_at(const std::string& target, const std::string& folder, const std::string& python) {
  TRY(const Looked looked, look(folder, python, {target}));
  const Found unknown{.target = target, .path = {}, .file = {}};
  return discovery_of(looked.found.empty() ? unknown : looked.found.front(), folder, python);
}

}  // namespace supervisor
