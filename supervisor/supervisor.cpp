#include "supervisor/supervisor.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>

#include "runtime/log.h"
#include "runtime/machine.h"
#include "supervisor/banner.h"
#include "supervisor/commands/complain.h"
#include "supervisor/control_client.h"
#include "supervisor/held_signals.h"
#include "supervisor/spool.h"
#include "supervisor/status.h"
#include "supervisor/verbs.h"

namespace supervisor {
namespace {

using runtime::bind;
using runtime::Code;
using runtime::Level;
using runtime::log;
using runtime::Milliseconds;
using runtime::Result;

Level to_level(conf::LogLevel level) {
  switch (level) {
    case conf::LogLevel::kDebug:
      return Level::kDebug;
    case conf::LogLevel::kInfo:
      return Level::kInfo;
    case conf::LogLevel::kWarning:
      return Level::kWarning;
    case conf::LogLevel::kError:
      return Level::kError;
  }
  return Level::kInfo;
}

// Decided once: how many sockets an address has depends on it, and every front must agree.
void fix_threads(conf::Front& front) {
  if (front.threads.is_auto()) front.threads.number = runtime::usable_cpus();
  front.threads.number = std::min(front.threads.number, upstream::kMaxThreads);
}

void say(const std::string& text) {
  [[maybe_unused]] const auto n = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

Result<Supervisor::Ground> Supervisor::prepare(conf::Settings settings, Options options) {
  fix_threads(settings.front);
  if (settings.apps.size() > upstream::kMaxApps) {
    return runtime::fail(runtime::Code::kConfig,
                         fmt::format("{} apps; there can be {}", settings.apps.size(), upstream::kMaxApps));
  }
  TRY(Account front, front_account(settings.front));
  std::vector<Account> accounts;
  bool needs_python = false;
  for (const conf::App& app : settings.apps) {
    TRY(Account account, app_account(app));
    accounts.push_back(std::move(account));
    for (const conf::Service& service : app.services) TRY_VOID(app_account(conf::service_app(app, service)));
    needs_python = needs_python || app.kind() == conf::AppKind::kWsgi;
  }
  runtime::Fd python;
  if (needs_python) {
    TRY(runtime::Fd blob, python_in_memory());
    python = std::move(blob);
  }
  TRY(RuntimeFolder folder, RuntimeFolder::make());
  TRY(Listeners listeners,
      Listeners::open(settings.listen, settings.metrics, settings.front.threads.number,
                      std::move(options.adopted)));
  if (std::ranges::all_of(listeners.all(), &Listener::metrics))
    return runtime::fail(runtime::Code::kConfig, "no address to listen on: give one in [listen]");
  TRY(LogFiles logs, open_logs(settings.log));
  TRY(runtime::Fd spool, open_spool(settings.front.spool));
  TRY(upstream::Scoreboard fronts, upstream::Scoreboard::make());
  TRY(upstream::HerdBoard herd, upstream::HerdBoard::make("portherd-herd", /*others_may_write=*/false));
  return Ground{std::move(settings),  std::move(options),  std::move(folder),
                std::move(listeners), std::move(logs),     std::move(spool),
                {std::move(fronts), std::move(herd)},
                std::move(front),     std::move(accounts), std::move(python)};
}

Result<std::unique_ptr<Supervisor>> Supervisor::make(conf::Settings settings, Options options) {
  const HeldSignals held;
  if (!settings.control.socket.empty()) {
    if (const auto running = who_answers(settings.control.socket)) {
      return runtime::fail(runtime::Code::kSystem,
                           fmt::format("already running (pid {}) at {}", *running, settings.control.socket));
    }
  }
  TRY(Ground ground, prepare(std::move(settings), std::move(options)));
  std::unique_ptr<Supervisor> made(new Supervisor(std::move(ground)));
  made->make_groups();
  TRY_VOID(made->open_control());
  return made;
}

Supervisor::Supervisor(Ground ground)
    : ground_(std::move(ground)),
      reaper_(loop_),
      output_(ground_.options.is_run),
      front_(reaper_, ground_.settings, ground_.listeners, ground_.logs, ground_.spool, ground_.boards, ground_.front_account,
             ground_.options.front,
             {.on_started = bind<&Supervisor::on_front_started>(this),
              .on_probed = bind<&Supervisor::on_probed>(this),
              .on_drained = bind<&Supervisor::on_drained>(this),
              .on_stuck = bind<&Supervisor::on_stuck>(this),
              .on_unstuck = bind<&Supervisor::on_unstuck>(this),
              .on_spent = bind<&Supervisor::on_spent>(this),
              .on_lost = bind<&Supervisor::on_lost>(this),
              .on_wanted = bind<&Supervisor::on_wanted>(this),
              .on_gone = bind<&Supervisor::on_front_gone>(this)}),
      herd_{.reaper = reaper_,
            .front = front_,
            .folder = ground_.folder,
            .output = output_,
            .rows = Rows(ground_.boards.fronts, *ground_.boards.herd),
            .fronts = ground_.boards.fronts,
            .figures = *ground_.boards.herd,
            .front_account = ground_.front_account,
            .is_run = ground_.options.is_run,
            .own = own_environment(),
            .descriptors = raise_descriptor_limit(),
            .python = std::move(ground_.python)},
      samples_(loop_, ground_.settings.apps.size(), groups_, ground_.boards),
      upgrade_(reaper_, ground_.options.program, service_.path(), [this](const Asker& asker) { return save(asker); }),
      delay_(loop_, bind<&Supervisor::begin_drain>(this)),
      term_(loop_, SIGTERM, bind<&Supervisor::on_stop_signal>(this)),
      interrupt_(loop_, SIGINT, bind<&Supervisor::on_stop_signal>(this)),
      quit_(loop_, SIGQUIT, bind<&Supervisor::on_stop_signal>(this)),
      reopen_(loop_, SIGUSR1, bind<&Supervisor::on_reopen_signal>(this)),
      reload_(loop_, SIGHUP, bind<&Supervisor::on_reload_signal>(this)),
      upgrade_now_(loop_, SIGUSR2, bind<&Supervisor::on_upgrade_signal>(this)),
      one_more_(loop_, SIGTTIN, bind<&Supervisor::on_one_more>(this)),
      one_fewer_(loop_, SIGTTOU, bind<&Supervisor::on_one_fewer>(this)) {
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGWINCH, SIG_IGN);
  runtime::log_as("supervisor", to_level(ground_.settings.log.error.level));
  write_to(ground_.logs);
}

// Whatever the way out was: first those that we know, then what they left behind.
Supervisor::~Supervisor() {
  front_.abandon();
  groups_.clear();
  reaper_.kill_all_left();
}

void Supervisor::make_groups() {
  for (std::size_t i = 0; i < ground_.settings.apps.size(); ++i) {
    groups_.push_back(std::make_unique<Group>(herd_, ground_.settings.apps[i], ground_.app_accounts[i],
                                              static_cast<upstream::AppIndex>(i), group_calls()));
  }
}

GroupCalls Supervisor::group_calls() {
  return {.on_stopped = bind<&Supervisor::on_group_stopped>(this),
          .on_failed = bind<&Supervisor::on_group_failed>(this)};
}

Result<void> Supervisor::open_control() {
  std::string& socket = ground_.settings.control.socket;
  if (socket.empty()) socket = ground_.folder / "control.sock";
  TRY(std::unique_ptr<Control> control,
      Control::open(loop_, socket, ground_.settings.control.group, hear()));
  control_ = std::move(control);
  ground_.folder.announce({.pid = ::getpid(), .directory = working_folder(), .control = socket});
  return {};
}

Control::Hear Supervisor::hear() {
  return [this](std::string_view order, Right right, const Asker& asker) { obey(*this, order, right, asker); };
}

int Supervisor::run() {
  if (has_started_) {
    go_on();
  } else if (const auto started = start(); !started) {
    log(Level::kError, "the front cannot be started", {{"error", started.error().text()}});
    return exit_status(started.error().code);
  }
  loop_.run();
  log(Level::kInfo, "everything has ended", {{"status", status_}});
  return status_;
}

Result<void> Supervisor::start() {
  for (const auto& group : groups_) group->publish_proxies();
  TRY_VOID(front_.start());
  for (const std::string& sentence : warnings(ground_.settings, is_root())) log(Level::kWarning, sentence);
  return {};
}

// ---- from the parts ----

// The apps wait for the first one: only a front can say that a key is no key, and then nothing else has been
// started.
void Supervisor::on_front_started() {
  if (is_stopping_ || std::exchange(has_started_, true)) return;
  for (const auto& group : groups_) group->start();
  samples_.begin();
  service_.say("READY=1");
  if (!ground_.options.is_run) return;
  std::vector<std::string> urls;
  for (const Listener& listener : ground_.listeners.all()) {
    if (!listener.metrics) urls.push_back(listener.url());
  }
  say(banner(ground_.settings, urls));
}

void Supervisor::on_front_gone(bool has_drained) {
  is_front_gone_ = true;
  if (!has_drained) fail("the front did not start", front_.had_trouble() ? Code::kConfig : Code::kSystem);
  set_stopping();
  stop_workers();
}

void Supervisor::on_probed(const upstream::Probed& answer) {
  if (answer.app < groups_.size()) groups_[answer.app]->on_probed(answer);
}

void Supervisor::on_drained(const upstream::Drained& answer) {
  if (answer.app < groups_.size()) groups_[answer.app]->on_drained(answer);
}

void Supervisor::on_stuck(const upstream::Stuck& told) {
  if (told.app < groups_.size()) groups_[told.app]->on_stuck(told);
}

void Supervisor::on_unstuck(const upstream::Unstuck& told) {
  if (told.app < groups_.size()) groups_[told.app]->on_unstuck(told);
}

void Supervisor::on_spent(const upstream::Spent& told) {
  if (told.app < groups_.size()) groups_[told.app]->on_spent(told);
}

void Supervisor::on_lost(const upstream::Lost& told) {
  if (told.app < groups_.size()) groups_[told.app]->on_lost(told);
}

void Supervisor::on_wanted(const upstream::Wanted& told) {
  if (told.app < groups_.size()) groups_[told.app]->on_wanted();
}

void Supervisor::on_group_failed(Group& group) {
  if (is_stopping_) return;
  fail(fmt::format("app {} did not start: {}", group.app().name, group.failure()));
  set_stopping();
  front_.drain_at_once();
}

void Supervisor::on_group_stopped() {
  const bool are_all = std::ranges::all_of(groups_, [](const auto& group) { return group->is_stopped(); });
  if (is_front_gone_ && are_all) loop_.stop();
}

// ---- from outside ----

void Supervisor::on_stop_signal() {
  if (is_stopping_) return stop_now();
  stop();
}

void Supervisor::on_reopen_signal() {
  auto logs = open_logs(ground_.settings.log);
  if (!logs) return log(Level::kError, "the logs stay as they are", {{"error", logs.error().text()}});
  ground_.logs = std::move(*logs);
  write_to(ground_.logs);
  front_.tell_logs();
  log(Level::kInfo, "the logs have been opened again");
}

void Supervisor::on_reload_signal() {
  log(Level::kWarning,
      "HUP changes nothing: this version does not reload its configuration; restart it to apply a change");
}

void Supervisor::on_upgrade_signal() {
  upgrade(Asker());
}

void Supervisor::on_one_more() {
  scale_all_of_run(1);
}

void Supervisor::on_one_fewer() {
  scale_all_of_run(-1);
}

void Supervisor::scale_all_of_run(int by) {
  if (!ground_.options.is_run) {
    return log(Level::kWarning, "TTIN and TTOU change nothing here: say which app, and how many, by `portherd scale APP N`");
  }
  for (const auto& group : groups_) {
    const std::size_t wanted = group->wanted();
    if (wanted + by >= 1 && group->app().has_processes()) group->scale(wanted + by);
  }
}

std::vector<std::string_view> Supervisor::app_names() const {
  std::vector<std::string_view> names;
  for (const auto& group : groups_) names.push_back(group->app().name);
  return names;
}

Group* Supervisor::find_app(std::string_view name) const {
  const auto found = std::ranges::find_if(groups_, [name](const auto& group) { return group->app().name == name; });
  return found != groups_.end() ? found->get() : nullptr;
}

nlohmann::ordered_json Supervisor::status(const Group* only) {
  return status_json({front_.pid(), ground_.listeners, groups_, ground_.boards.fronts, samples_}, only,
                     only != nullptr ? &output_.tail(only->app().name) : nullptr);
}

// ---- the end ----

// Load balancers that ask at /-/ready hear of it before anything closes.
void Supervisor::set_stopping() {
  is_stopping_ = true;
  herd_.figures.is_stopping = true;
}

void Supervisor::stop() {
  if (is_stopping_) return;
  set_stopping();
  service_.say("STOPPING=1");
  log(Level::kInfo, "draining: finishing what is in flight");
  const Milliseconds delay = ground_.settings.front.shutdown_delay;
  if (delay == Milliseconds(0)) return begin_drain();
  delay_.arm(delay);  // load balancers learn of it first
}

// Who waits behind a pause is served, too.
void Supervisor::begin_drain() {
  for (const auto& group : groups_) {
    if (group->gate() == upstream::Gate::kPaused) [[maybe_unused]] const auto resumed = group->resume();
  }
  front_.drain();
}

void Supervisor::stop_now() {
  log(Level::kWarning, "stopping now: cutting what is in flight");
  delay_.cancel();
  front_.drain_at_once();
  for (const auto& group : groups_) group->stop();
  for (const auto& group : groups_) group->kill_now();
}

// In reverse order: an app may lean on one that stands before it.
void Supervisor::stop_workers() {
  for (auto group = groups_.rbegin(); group != groups_.rend(); ++group) (*group)->stop();
  on_group_stopped();
}

void Supervisor::fail(std::string_view sentence, runtime::Code code) {
  status_ = exit_status(code);
  log(Level::kError, sentence);
}

}  // namespace supervisor
