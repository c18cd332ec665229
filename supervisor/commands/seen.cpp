#include "supervisor/commands/seen.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "conf/source.h"
#include "supervisor/runtime_folder.h"

namespace supervisor {
namespace {

constexpr std::size_t kMostProjects = 5;
constexpr std::string_view kProjects[] = {"portherd.toml", "Procfile", "manage.py", "app.py", "main.py", "wsgi.py", "asgi.py"};
constexpr std::string_view kNoProjects[] = {"node_modules", "venv", "env", "tests", "test", "docs", "examples"};

bool has(const std::string& folder, std::string_view file) {
  std::error_code error;
  return std::filesystem::is_regular_file(fmt::format("{}/{}", folder, file), error);
}

// As it would be typed where the caller stands.
std::string typed(const std::string& path) {
  const std::string here = working_folder() + "/";
  return conf::printable(path.starts_with(here) ? path.substr(here.size()) : path, conf::kLongestLine);
}

// Somebody else's words, which are told to be typed: one program's, and nothing for a shell or a terminal.
std::string plain(std::string_view words) {
  if (words.find_first_of("&|;<>()$`\"'\\*?\n") != words.npos) return {};
  return conf::printable(words, conf::kLongestLine);
}

// npm runs a server.js where nothing is said.
std::string command_of_package(const std::string& folder) {
  const auto source = conf::Source::open(folder + "/package.json");
  std::string command = source ? start_of_package(source->text()) : "";
  if (command.empty()) command = has(folder, "server.js") ? "node server.js" : "node FILE";
  return command;
}

// Others have a package.json for what a browser loads, so this is no reason to start anything unasked.
std::string told_of_package(const std::string& folder) {
  const bool is_here = folder == working_folder();
  return fmt::format("{}package.json is there: `portherd run {}--env 'PORT={{port}}' -- {}` runs a program that listens at $PORT",
                     is_here ? "" : typed(folder) + "/", is_here ? "" : fmt::format("--chdir {} ", typed(folder)),
                     command_of_package(folder));
}

// Empty: it is none.
std::string told_of_project(const std::string& folder) {
  const auto found = std::ranges::find_if(kProjects, [&folder](std::string_view file) { return has(folder, file); });
  if (found != std::end(kProjects)) return fmt::format("{0}/{1} is there: `portherd run {0}`", typed(folder), *found);
  return has(folder, "package.json") ? told_of_package(folder) : "";
}

bool may_be_a_project(const std::filesystem::path& path) {
  std::error_code error;
  const std::string name = path.filename().string();
  return !name.starts_with(".") && std::ranges::find(kNoProjects, name) == std::end(kNoProjects) &&
         std::filesystem::is_directory(path, error);
}

std::vector<std::string> folders_in(const std::string& folder) {
  std::vector<std::string> all;
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator(folder, error); !error && entry != std::filesystem::directory_iterator();
       entry.increment(error)) {
    if (may_be_a_project(entry->path())) all.push_back(entry->path().string());
  }
  std::ranges::sort(all);
  return all;
}

}  // namespace

std::string start_of_package(std::string_view package_json) {
  const auto json = nlohmann::json::parse(package_json, nullptr, /*allow_exceptions=*/false);
  const auto text_at = [&json](const char* path) {
    const nlohmann::json::json_pointer at(path);
    return json.is_object() && json.contains(at) && json[at].is_string() ? json[at].get<std::string>() : std::string();
  };
  const std::string start = text_at("/scripts/start");
  if (start.starts_with("node ") && !plain(start).empty()) return plain(start);
  if (!start.empty()) return "npm start";
  const std::string main = plain(text_at("/main"));
  return main.empty() ? "" : "node " + main;
}

std::vector<std::string> seen_in(const std::string& folder) {
  std::vector<std::string> all;
  if (has(folder, "package.json")) all.push_back(told_of_package(folder));
  for (const std::string& below : folders_in(folder)) {
    if (all.size() >= kMostProjects) break;
    std::string told = told_of_project(below);
    if (!told.empty()) all.push_back(std::move(told));
  }
  return all;
}

}  // namespace supervisor
