// The rules for one app, its workers and its services.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <iterator>
#include <map>
#include <utility>

#include "conf/checker.h"
#include "conf/env_file.h"
#include "conf/fault.h"
#include "conf/forms.h"
#include "conf/program.h"
#include "conf/units.h"
#include "conf/words.h"

namespace conf {
namespace {

constexpr runtime::Bytes kLeastMemory = 1_MiB;  // of a `max_memory`; below it every worker would be replaced at once

std::string_view python_kind(App const& app) { return app.wsgi.empty() ? "asgi" : "wsgi"; }

}  // namespace

void Checker::check_app(App const& app) {
  check_kind(app);
  check_folder(key_of(app), app);
  check_program(app);
  check_account(key_of(app, "user"), app.user, "");
  check_account(key_of(app, "group"), "", app.group);
  check_env_file(key_of(app), app);
  check_services(app);
  check_stop_signal(app);
  check_stack_signal(app);
  check_routes(app);
  check_workers_of(app);
  check_strict(key_of(app), app);
  if (app.plain_http == PlainHttp::kRedirect && settings_.listen.https.empty()) {
    add(key_of(app, "plain_http"), "`plain_http = \"redirect\"` needs an `https` address in `[listen]`",
        {"listen"});
  }
  for (std::size_t i = 0; i < app.proxy.size(); ++i) {
    check_socket_path(fmt::format("{}.proxy[{}]", key_of(app), i), app.proxy[i].path);
  }
}

// Settings made in code have not been read by the rows.
void Checker::check_workers_of(App const& app) {
  if (app.workers.max == 0) add(key_of(app, "workers"), "`workers` must be at least 1");
  if (app.max_requests_jitter > 0 && app.max_requests == 0) {
    add(key_of(app, "max_requests_jitter"), "`max_requests_jitter` needs `max_requests`, which it is added to");
  }
  if (app.max_memory > 0 && app.max_memory < kLeastMemory) {
    add(key_of(app, "max_memory"), fmt::format("`max_memory` of {}: no worker is that small", in_quotes(print_size(app.max_memory))));
  }
  if (app.memory_max && app.max_memory > *app.memory_max) {
    add(key_of(app, "max_memory"), fmt::format("`max_memory` of {} is more than `memory_max`, which all of the app may have: the kernel would kill a "
                                               "worker before it is replaced", in_quotes(print_size(app.max_memory))), {key_of(app, "memory_max")});
  }
  if (app.health.interval > milliseconds(0) && app.health.path.empty()) {
    add(key_of(app, "health"), "`interval` of `health` needs `path`: what is to be asked for");
  }
  if (!app.has_processes()) check_nobody_is_replaced(app);
  if (!app.has_processes() && app.services.empty()) check_nobody_is_bounded(app);
}

// What can be known now: a cgroup is given to who serves, not to who checks.
void Checker::check_strict(std::string const& of, App const& process) {
  if (!process.strict) return;
  if (!powers_) powers_ = own_powers();
  for (Withheld const& one : withheld(process, *powers_)) {
    if (!origins_.contains(fmt::format("{}.{}", of, one.key))) continue;  // a service's app has it, which is told
    add(fmt::format("{}.{}", of, one.key), fmt::format("{} (and `strict` is on)", one.why));
  }
}

// What nobody could have. A route needs no process, and somebody else's worker is not ours to bound.
void Checker::check_nobody_is_bounded(App const& app) {
  std::array<std::pair<std::string_view, bool>, 5> const keys{{{"rlimits", !app.rlimits.empty()},
                                                               {"nice", app.nice.has_value()},
                                                               {"memory_max", app.memory_max.has_value()},
                                                               {"cpu_max", app.cpu_max.has_value()},
                                                               {"pids_max", app.pids_max.has_value()}}};
  for (auto const& [key, is_set] : keys) {
    if (!is_set) continue;
    add(key_of(app, key), fmt::format("`{}` is for processes that Portherd starts; app `{}` has none", key, app.name), {key_of(app)});
  }
}

// Who is not ours is not replaced, nor asked how it is.
void Checker::check_nobody_is_replaced(App const& app) {
  std::array<std::pair<std::string_view, bool>, 4> const keys{{{"max_requests", app.max_requests > 0},
                                                               {"max_memory", app.max_memory > 0},
                                                               {"max_age", app.max_age > milliseconds(0)},
                                                               {"health", !app.health.path.empty()}}};
  for (auto const& [key, is_set] : keys) {
    if (!is_set) continue;
    add(key_of(app, key), fmt::format("`{}` is for workers that Portherd starts; app `{}` has none", key, app.name),
        {key_of(app)});
  }
}

void Checker::check_kind(App const& app) {
  std::vector<std::string_view> kinds;
  if (!app.wsgi.empty()) kinds.push_back("wsgi");
  if (!app.asgi.empty()) kinds.push_back("asgi");
  if (!app.command.empty()) kinds.push_back("command");
  if (!app.proxy.empty()) kinds.push_back("proxy");
  if (kinds.empty()) {
    if (!app.routes.empty()) return;
    if (app.services.empty()) {
      add(key_of(app), fmt::format("app `{}` needs one of `wsgi`, `asgi`, `command` and `proxy`, or `routes` or `services`", app.name));
    } else if (!app.hosts.empty()) {
      add(key_of(app, "hosts"), fmt::format("app `{}` has only services, and nothing that answers", app.name), {key_of(app)});
    }
  }
  for (std::size_t i = 1; i < kinds.size(); ++i) {
    add(key_of(app, kinds[i]),
        fmt::format("app `{}` has `{}` and `{}`; it can be only one", app.name, kinds[0], kinds[i]));
  }
}

void Checker::check_stack_signal(App const& app) {
  if (!app.stack_signal) return;
  std::string const key = key_of(app, "stack_signal");
  if (app.is_python()) {
    add(key, fmt::format("`stack_signal` is for a `command`: an app by `{}` says its stacks without it", python_kind(app)));
  } else if (*app.stack_signal == app.stop_signal) {
    add(key, fmt::format("`stack_signal` and `stop_signal` are both {}: the worker would end", in_quotes(signal_name(app.stop_signal.number))));
  }
}

// Our Python worker ignores INT (the terminal's goes to everyone) and would die of the others at once.
void Checker::check_stop_signal(App const& app) {
  if (!app.is_python() || app.stop_signal.number == SIGTERM) return;
  add(key_of(app, "stop_signal"), fmt::format("an app by `{}` drains on \"TERM\", not on {}", python_kind(app),
                                              in_quotes(signal_name(app.stop_signal.number))));
}

// One loop in one thread: how many requests it has at the same time says `concurrency`.
void Checker::check_threads(App const& app) {
  if (app.asgi.empty() || app.threads == App().threads) return;  // what print() has printed passes
  add(key_of(app, "threads"), "`threads` is for a `wsgi` app: an `asgi` worker has one, and takes as many requests as `concurrency` says");
}

void Checker::check_services(App const& app) {
  std::map<std::string_view, std::string> seen;  // by name: its key
  for (std::size_t i = 0; i < app.services.size(); ++i) {
    Service const& service = app.services[i];
    std::string const key = fmt::format("{}.services[{}]", key_of(app), i);
    if (!is_app_name(service.name)) {
      add(key + ".name", fmt::format("a service needs a `name` of up to 32 letters, digits, `-` and `_`, not {}",
                                     in_quotes(printable(service.name))));
    } else if (auto const [first, is_new] = seen.emplace(service.name, key); !is_new) {
      add(key + ".name", fmt::format("app `{}` has a service `{}` already{}", app.name, service.name, at(first->second)));
    }
    check_service(key, app, service);
  }
}

// What it has from its app has been looked at there.
void Checker::check_service(std::string const& key, App const& app, Service const& service) {
  App const process = service_app(app, service);
  check_account(key + ".user", service.user, "");
  check_account(key + ".group", "", service.group);
  check_strict(key, process);
  if (service.command.empty()) return add(key, "a service needs a `command`");
  if (is_unknown(key_of(app, "directory"))) return;  // its paths are against that
  if (!service.directory.empty()) check_folder(key, process);
  if (!service.env_file.empty()) check_env_file(key, process);
  check_executable(key, process, "command", service.command.front(), where_programs_are(key_of(app)));
}

void Checker::check_folder(std::string const& of, App const& app) {
  if (app.directory.empty()) return;  // only settings made in code: the working folder
  if (int const why = why_no_folder(app.directory, X_OK)) add_reason(of + ".directory", "directory", app.directory, why);
}

void Checker::check_program(App const& app) {
  if (app.is_python()) {
    const std::string& name = app.wsgi.empty() ? app.asgi : app.wsgi;
    if (!is_module_attr(name)) {
      add(key_of(app, python_kind(app)),
          fmt::format("`{}` must be \"module:attr\", not {}", python_kind(app), in_quotes(printable(name))));
    }
    check_threads(app);
    check_executable(key_of(app), app, "python", app.python);
  }
  check_preload(app);
  if (!app.command.empty()) check_executable(key_of(app), app, "command", app.command.front());
}

void Checker::check_preload(App const& app) {
  if (app.preload && !app.is_python()) add(key_of(app, "preload"), "`preload` is for a `wsgi` or `asgi` app");
  if (app.post_fork.empty()) return;
  if (!app.preload) add(key_of(app, "post_fork"), "`post_fork` needs `preload = true`: without it no worker is forked");
  if (!is_module_attr(app.post_fork)) {
    add(key_of(app, "post_fork"), fmt::format("`post_fork` must be \"module:function\", not {}", in_quotes(printable(app.post_fork))));
  }
}

// Where a program is looked for is known only if these are.
std::vector<std::string> Checker::where_programs_are(std::string const& of) {
  return {of + ".directory", of + ".env", of + ".env_file"};
}

void Checker::check_executable(std::string const& of, App const& app, std::string_view key, std::string const& name,
                      std::vector<std::string> also) {
  runtime::Result<std::string> const program = find_program(name, search_path(app), app.directory);
  if (program) return;
  std::ranges::move(where_programs_are(of), std::back_inserter(also));
  add(fmt::format("{}.{}", of, key), fmt::format("`{}`: {}", key, program.error().text()), also);
}

void Checker::check_env_file(std::string const& of, App const& app) {
  if (app.env_file.empty()) return;
  std::expected<Environment, Problem> environment = read_env_file(app.env_file);
  if (environment) return;
  if (is_unknown(of + ".directory")) return;  // then it was looked for in another folder
  if (environment.error().line != 0) return problems_.push_back(std::move(environment.error()));
  add(of + ".env_file", fmt::format("`env_file` {} {}", in_quotes(app.env_file), environment.error().sentence));
}

}  // namespace conf
