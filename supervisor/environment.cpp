#include "supervisor/environment.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "conf/env_file.h"

namespace supervisor {
namespace {

constexpr std::string_view kBarePath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// What systemd says to the process of a service alone (systemd.exec(5)). JOURNAL_STREAM would be wrong for a worker, whose
// output is ours. Folders (STATE_DIRECTORY, CREDENTIALS_DIRECTORY) are meant for the app.
constexpr std::array<std::string_view, 7> kOfTheService{
    "NOTIFY_SOCKET", "INVOCATION_ID", "JOURNAL_STREAM", "MAINPID", "MANAGERPID", "SYSTEMD_EXEC_PID", "FDSTORE"};

// PORT is where we listen, not where a worker should; WEB_CONCURRENCY is how many there are of them.
bool is_ours_alone(std::string_view name) {
  return name.starts_with("LISTEN_") || name.starts_with("WATCHDOG_") || name.starts_with("PORTHERD_") ||
         name == "PORT" || name == "WEB_CONCURRENCY" || std::ranges::find(kOfTheService, name) != kOfTheService.end();
}

void copy(const Variables& from, std::string_view name, Variables& to, std::string_view otherwise) {
  const auto found = from.find(std::string(name));
  if (found != from.end()) {
    to[std::string(name)] = found->second;
  } else if (!otherwise.empty()) {
    to[std::string(name)] = otherwise;
  }
}

}  // namespace

Variables own_environment() {
  Variables own;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    const std::string_view text = *at;
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos || is_ours_alone(text.substr(0, equals))) continue;
    own.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return own;
}

Variables clean_environment(const Variables& own, const Account& account) {
  Variables clean{{"HOME", account.home}, {"USER", account.name}, {"PYTHONUNBUFFERED", "1"}};
  copy(own, "PATH", clean, kBarePath);
  copy(own, "LANG", clean, "C.UTF-8");
  copy(own, "TZ", clean, "");
  return clean;
}

Variables front_environment(const Variables& own) {
  static constexpr std::array kKept{"PATH", "LANG", "TZ", "ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"};
  Variables kept;
  for (const char* name : kKept) copy(own, name, kept, "");
  // jemalloc keeps for 10 s what was freed: after a flood of connections that is much, and the front could not see
  // that it has closed enough of them.
  copy(own, "MALLOC_CONF", kept, "dirty_decay_ms:1000");
  return kept;
}

runtime::Result<Variables> file_environment(const conf::App& app) {
  if (app.env_file.empty()) return Variables{};
  const auto read = conf::read_env_file(app.env_file);
  if (!read) return runtime::fail(runtime::Code::kConfig, conf::text(read.error()));
  return Variables(read->begin(), read->end());
}

Variables app_environment(const conf::App& app, Variables base, const Variables& file) {
  base.try_emplace("PYTHONUNBUFFERED", "1");  // its output is a pipe, and what it prints is wanted now
  for (const auto& [name, value] : file) base[name] = value;
  for (const auto& [name, value] : app.env) base[name] = value;
  return base;
}

std::vector<std::string> to_texts(const Variables& variables) {
  std::vector<std::string> texts;
  for (const auto& [name, value] : variables) texts.push_back(fmt::format("{}={}", name, value));
  return texts;
}

}  // namespace supervisor
