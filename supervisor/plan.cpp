#include "supervisor/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>

#include "conf/program.h"
#include "conf/rlimits.h"
#include "upstream/python_package.h"

namespace supervisor {
namespace {

// Of what lives beside the supervisor: if that dies, it gets TERM while the front drains (docs/design.md).
constexpr int kDeathSignal = SIGTERM;

using runtime::Result;

std::string replace_all(std::string text, std::string_view word, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; at += by.size()) {
    text.replace(at, word.size(), by);
  }
  return text;
}

std::string expand(std::string text, Handover how, const Seat& seat) {
  text = replace_all(std::move(text), "{fd}", std::to_string(kSocketFd));
  if (how == Handover::kPath) text = replace_all(std::move(text), "{socket}", seat.socket);
  if (how == Handover::kPort) text = replace_all(std::move(text), "{port}", std::to_string(seat.port));
  return text;
}

// Those that the app sets itself.
void expand_own(const conf::App& app, Variables& variables, Handover how, const Seat& seat) {
  for (auto& [name, value] : variables) {
    if (app.env.contains(name)) value = expand(value, how, seat);
  }
}

bool mentions(const conf::App& app, std::string_view word) {
  const auto in = [word](const std::string& text) { return text.find(word) != std::string::npos; };
  return std::ranges::any_of(app.command, in) ||
         std::ranges::any_of(app.env, [&](const auto& variable) { return in(variable.second); });
}

bool is_of_a_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// `$NAME` or `${NAME...`, not `$NAMESAKE`.
bool has_variable(std::string_view text, std::string_view name) {
  for (std::size_t at = text.find('$'); at != std::string_view::npos; at = text.find('$', at + 1)) {
    std::string_view rest = text.substr(at + 1);
    if (rest.starts_with('{')) rest.remove_prefix(1);
    if (!rest.starts_with(name)) continue;
    rest.remove_prefix(name.size());
    if (rest.empty() || !is_of_a_name(rest.front())) return true;
  }
  return false;
}

// A shell's line that names the variable can mean only ours, unless the app brings its own. Not in `env`:
// nobody expands what stands there.
bool expects_variable(const conf::App& app, const std::string& name) {
  return !app.env.contains(name) &&
         std::ranges::any_of(app.command, [&](const std::string& text) { return has_variable(text, name); });
}

void add_socket(const conf::App& app, SpawnPlan& plan, Variables& variables, Handover how, const Seat& seat) {
  switch (how) {
    case Handover::kListenFds:
      plan.fds.push_back({seat.socket_fd, kSocketFd});
      if (!is_told_by_listen_pid(app)) return;
      variables["LISTEN_FDS"] = "1";
      plan.wants_listen_pid = true;
      return;
    case Handover::kPath:
      variables["PORTHERD_SOCKET"] = seat.socket;
      return;
    case Handover::kPort:
      // A PORT of the env_file is meant for a start by hand, where nobody else chooses one.
      if (!app.env.contains("PORT")) variables["PORT"] = std::to_string(seat.port);
      return;
  }
}

void add_python(const conf::App& app, SpawnPlan& plan, Variables& variables, const Seat& seat) {
  plan.fds.push_back({seat.blob_fd, kBlobFd});
  if (!app.asgi.empty()) variables["PORTHERD_ASGI"] = app.asgi;
  if (!app.wsgi.empty()) variables["PORTHERD_WSGI"] = app.wsgi;
  if (!app.wsgi.empty()) variables["PORTHERD_THREADS"] = std::to_string(app.threads);
  if (app.reload) variables["PORTHERD_RELOAD"] = "1";
  variables["PORTHERD_STACK_SIGNAL"] = std::to_string(*stack_signal_of(app));
}

std::vector<std::string> arguments_of(const conf::App& app, Handover how, const Seat& seat) {
  std::vector<std::string> arguments;
  if (app.is_python()) {
    arguments = upstream::python_arguments(kBlobFd);
    arguments.insert(arguments.begin(), app.python);
    return arguments;
  }
  for (const std::string& argument : app.command) arguments.push_back(expand(argument, how, seat));
  return arguments;
}

// What all processes of an app have in common.
Result<SpawnPlan> plan_program(const conf::App& app, std::vector<std::string> arguments, const Variables& variables,
                               const Account& account) {
  SpawnPlan plan;
  const auto path = variables.find("PATH");
  TRY(std::string program,
      conf::find_program(arguments.front(), path == variables.end() ? "" : path->second, app.directory));
  plan.program = std::move(program);
  plan.arguments = std::move(arguments);
  plan.environment = to_texts(variables);
  plan.directory = app.directory;
  if (is_root()) plan.account = account;
  if (app.umask) plan.umask = app.umask->bits;
  return plan;
}

}  // namespace

// Of a Python worker a real-time signal: no app waits for one. Never ABRT, by which a program ends itself.
std::optional<int> stack_signal_of(const conf::App& app) {
  if (app.is_python()) return SIGRTMIN + 7;
  return app.stack_signal ? std::optional(app.stack_signal->number) : std::nullopt;
}

Handover handover_of(const conf::App& app) {
  if (app.kind() != conf::AppKind::kCommand) return Handover::kListenFds;
  if (mentions(app, "{port}")) return Handover::kPort;
  if (mentions(app, "{socket}")) return Handover::kPath;
  if (mentions(app, "{fd}")) return Handover::kListenFds;
  if (expects_variable(app, "PORTHERD_SOCKET")) return Handover::kPath;
  return expects_variable(app, "PORT") ? Handover::kPort : Handover::kListenFds;
}

// A command that names {fd} has been told. gunicorn would take the same descriptor twice and end (arbiter.py, 20.1).
bool is_told_by_listen_pid(const conf::App& app) {
  return handover_of(app) == Handover::kListenFds && !mentions(app, "{fd}");
}

Result<SpawnPlan> plan_worker(const conf::App& app, const Seat& seat, Variables variables,
                              const Account& account) {
  const Handover how = handover_of(app);
  expand_own(app, variables, how, seat);
  TRY(SpawnPlan plan, plan_program(app, arguments_of(app, how, seat), variables, account));
  plan.fds = {{seat.out, 1}, {seat.err, 2}};
  add_socket(app, plan, variables, how, seat);
  variables["NOTIFY_SOCKET"] = seat.notify;
  if (app.is_python()) {
    add_python(app, plan, variables, seat);
    plan.fds.push_back({seat.stack, kStackFd});
    variables["PORTHERD_STACK_FD"] = std::to_string(kStackFd);
  }
  plan.environment = to_texts(variables);
  plan.death_signal = kDeathSignal;
  return plan;
}

Result<SpawnPlan> plan_zygote(const conf::App& app, const Seat& seat, int control, Variables variables,
                              const Account& account) {
  expand_own(app, variables, Handover::kListenFds, seat);
  TRY(SpawnPlan plan, plan_program(app, arguments_of(app, Handover::kListenFds, seat), variables, account));
  plan.fds = {{seat.out, 1}, {seat.err, 2}, {control, kSocketFd}};
  add_python(app, plan, variables, seat);
  variables["PORTHERD_PRELOAD"] = "1";
  if (!app.post_fork.empty()) variables["PORTHERD_POST_FORK"] = app.post_fork;
  plan.environment = to_texts(variables);
  plan.death_signal = kDeathSignal;
  return plan;
}

Result<SpawnPlan> plan_service(const conf::App& service, const Seat& seat, Variables variables,
                               const Account& account) {
  variables["NOTIFY_SOCKET"] = seat.notify;
  TRY(SpawnPlan plan, plan_program(service, service.command, variables, account));
  plan.fds = {{seat.out, 1}, {seat.err, 2}};
  plan.death_signal = kDeathSignal;
  return plan;
}

void bound(SpawnPlan& plan, const conf::App& app, const conf::Powers& powers) {
  static_assert(conf::kNoLimit == RLIM_INFINITY);
  for (const auto& [name, limit] : conf::given_rlimits(app, powers)) {
    plan.bounds.push_back({conf::resource_named(name)->number, {.rlim_cur = limit.soft, .rlim_max = limit.hard}});
  }
  if (const auto nice = conf::given_nice(app, powers)) plan.nice = nice->number;
  plan.may_gain_privileges = !app.no_new_privs;
}

Result<SpawnPlan> plan_one_off(const conf::App& app, std::vector<std::string> command, const Variables& environment,
                               const Account& account) {
  return plan_program(app, std::move(command), environment, account);
}

}  // namespace supervisor
