#include "supervisor/supervisor.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>
#include <numeric>

#include "runtime/log.h"
#include "supervisor/banner.h"
#include "supervisor/commands/complain.h"
#include "supervisor/control_client.h"
#include "supervisor/held_signals.h"
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

void say(const std::string& text) {
  [[maybe_unused]] const auto n = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

Result<Supervisor::Foundation> Supervisor::prepare(conf::Settings settings, Options& options) {
  fix_threads(settings.front);
  std::vector<upstream::AppIndex> apps(settings.apps.size());
  std::iota(apps.begin(), apps.end(), upstream::AppIndex{0});
  TRY(RuntimeFolder folder, RuntimeFolder::make());
  TRY(Ground ground, prepare_ground(std::move(settings), std::move(apps), nullptr, std::move(options.adopted)));
  TRY(upstream::Scoreboard fronts, upstream::Scoreboard::make());
  TRY(upstream::HerdBoard herd, upstream::HerdBoard::make("portherd-herd", /*others_may_write=*/false));
  return Foundation{std::move(folder), {std::move(fronts), std::move(herd)}, std::move(ground)};
}

Result<std::unique_ptr<Supervisor>> Supervisor::make(conf::Settings settings, Options options) {
  const HeldSignals held;
  if (!settings.control.socket.empty()) {
    if (const auto running = who_answers(settings.control.socket)) {
      return runtime::fail(runtime::Code::kSystem,
                           fmt::format("already running (pid {}) at {}", *running, settings.control.socket));
    }
  }
  TRY(Foundation foundation, prepare(std::move(settings), options));
  std::unique_ptr<Supervisor> made(new Supervisor(std::move(foundation), std::move(options)));
  made->make_groups();
  TRY_VOID(made->open_control());
  return made;
}

Supervisor::Supervisor(Foundation foundation, Options options)
    : options_(std::move(options)),
      folder_(std::move(foundation.folder)),
      boards_(std::move(foundation.boards)),
      ground_(std::move(foundation.ground)),
      reaper_(loop_),
      output_(options_.is_run),
      front_({reaper_, ground_.settings, ground_.apps, ground_.listeners, ground_.logs, ground_.spool, ground_.fence, folder_.path(), boards_,
              ground_.front_account, options_.front},
             {.on_started = bind<&Supervisor::on_front_started>(this),
              .on_probed = bind<&Supervisor::on_probed>(this),
              .on_drained = bind<&Supervisor::on_drained>(this),
              .on_stuck = bind<&Supervisor::on_stuck>(this),
              .on_unstuck = bind<&Supervisor::on_unstuck>(this),
              .on_spent = bind<&Supervisor::on_spent>(this),
              .on_lost = bind<&Supervisor::on_lost>(this),
              .on_wanted = bind<&Supervisor::on_wanted>(this),
              .on_gone = bind<&Supervisor::on_front_gone>(this)}),
      watchdog_(loop_, service_, front_),
      herd_{.reaper = reaper_,
            .front = front_,
            .folder = folder_,
            .output = output_,
            .rows = Rows(boards_.fronts, *boards_.herd),
            .fronts = boards_.fronts,
            .figures = *boards_.herd,
            .front_account = ground_.front_account,
            .is_run = options_.is_run,
            .own = own_environment(),
            .descriptors = raise_descriptor_limit(),
            .powers = conf::own_powers(),
            .python = ground_.python,
            .cgroups = cgroups_},
      groups_(herd_, {.on_stopped = bind<&Supervisor::on_group_stopped>(this),
                      .on_failed = bind<&Supervisor::on_group_failed>(this)}),
      samples_(loop_, groups_.all(), boards_),
      reload_(loop_, ground_, options_, groups_, front_, service_),
      upgrade_(reaper_, options_.program, service_.path(), front_, [this](const Asker& asker) { return save(asker); }),
      delay_(loop_, bind<&Supervisor::begin_drain>(this)),
      term_(loop_, SIGTERM, bind<&Supervisor::on_stop_signal>(this)),
      interrupt_(loop_, SIGINT, bind<&Supervisor::on_stop_signal>(this)),
      quit_(loop_, SIGQUIT, bind<&Supervisor::on_stop_signal>(this)),
      reopen_(loop_, SIGUSR1, bind<&Supervisor::on_reopen_signal>(this)),
      hangup_(loop_, SIGHUP, bind<&Supervisor::on_reload_signal>(this)),
      upgrade_now_(loop_, SIGUSR2, bind<&Supervisor::on_upgrade_signal>(this)),
      one_more_(loop_, SIGTTIN, bind<&Supervisor::on_one_more>(this)),
      one_fewer_(loop_, SIGTTOU, bind<&Supervisor::on_one_fewer>(this)) {
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGWINCH, SIG_IGN);
  write_to(ground_.logs, ground_.settings.log.error.level);
}

// Whatever the way out was: first those that we know, then what they left behind.
Supervisor::~Supervisor() {
  front_.abandon();
  groups_.clear();
  reaper_.kill_all_left();
}

void Supervisor::make_groups() {
  for (std::size_t i = 0; i < ground_.apps.size(); ++i) {
    Group& group = groups_.add(ground_.settings.apps[i], ground_.accounts[i], ground_.apps[i]);
    if (options_.is_run && !group.app().reload) group.give_up_if_it_fails();
  }
}

Result<void> Supervisor::open_control() {
  std::string& socket = ground_.settings.control.socket;
  if (socket.empty()) socket = folder_ / "control.sock";
  TRY(std::unique_ptr<Control> control,
      Control::open(loop_, socket, ground_.settings.control.group, hear()));
  control_ = std::move(control);
  control_->fronts_are([this](pid_t pid) { return front_.is_one(pid); });
  folder_.announce({.pid = ::getpid(), .directory = working_folder(), .control = socket});
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
  for (const auto& group : groups_.all()) group->publish_proxies();
  reload_.watch_certificates();  // before they are read: no change falls in between
  TRY_VOID(front_.start());
  for (const std::string& sentence : warnings(ground_.settings, is_root(), ground_.accounts, ground_.front_account)) log(Level::kWarning, sentence);
  return {};
}

// ---- from the parts ----

// The apps wait for the first one: only a front can say that a key is no key, and then nothing else has been
// started.
void Supervisor::on_front_started() {
  if (is_stopping_ || std::exchange(has_started_, true)) return;
  for (const auto& group : groups_.all()) group->start();
  samples_.begin();
  service_.say("READY=1");
  watchdog_.begin();
  if (!options_.is_run) return;
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
  if (Group* const group = groups_.at(answer.app)) group->on_probed(answer);
}

void Supervisor::on_drained(const upstream::Drained& answer) {
  if (Group* const group = groups_.at(answer.app)) group->on_drained(answer);
}

void Supervisor::on_stuck(const upstream::Stuck& told) {
  if (Group* const group = groups_.at(told.app)) group->on_stuck(told);
}

void Supervisor::on_unstuck(const upstream::Unstuck& told) {
  if (Group* const group = groups_.at(told.app)) group->on_unstuck(told);
}

void Supervisor::on_spent(const upstream::Spent& told) {
  if (Group* const group = groups_.at(told.app)) group->on_spent(told);
}

void Supervisor::on_lost(const upstream::Lost& told) {
  if (Group* const group = groups_.at(told.app)) group->on_lost(told);
}

void Supervisor::on_wanted(const upstream::Wanted& told) {
  if (Group* const group = groups_.at(told.app)) group->on_wanted();
}

void Supervisor::on_group_failed(Group& group) {
  if (is_stopping_) return;
  fail(fmt::format("app {} did not start: {}", group.app().name, group.failure()));
  set_stopping();
  front_.drain_at_once();
}

void Supervisor::on_group_stopped() {
  if (is_front_gone_ && groups_.are_all_stopped()) loop_.stop();
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
  write_to(ground_.logs, ground_.settings.log.error.level);
  front_.tell_logs();
  log(Level::kInfo, "the logs have been opened again");
}

void Supervisor::on_reload_signal() {
  reload_.order(Asker());
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
  if (!options_.is_run) {
    return log(Level::kWarning, "TTIN and TTOU change nothing here: say which app, and how many, by `portherd scale APP N`");
  }
  for (const auto& group : groups_.all()) {
    if (!group->app().has_processes() || group->gate() == upstream::Gate::kStopped) continue;
    const std::size_t number = scale::stepped(group->wanted(), by);
    if (number != group->wanted()) group->scale(number);
  }
}

std::vector<std::string_view> Supervisor::app_names() const {
  std::vector<std::string_view> names;
  for (const auto& group : groups_.all()) names.push_back(group->app().name);
  return names;
}

nlohmann::ordered_json Supervisor::status(const Group* only) {
  return status_json({front_.pid(), front_.said(), ground_.listeners, groups_.all(), boards_.fronts, samples_, reload_}, only,
                     only != nullptr ? &output_.tail(only->app().name) : nullptr);
}

// ---- the end ----

// Load balancers that ask at /-/ready hear of it before anything closes.
void Supervisor::set_stopping() {
  is_stopping_ = true;
  reload_.abandon();
  upgrade_.abandon();
  watchdog_.let_end();
  herd_.figures.is_stopping = true;
}

void Supervisor::stop() {
  if (is_stopping_) return;
  set_stopping();
  service_.say(stopping(ground_.settings));
  log(Level::kInfo, "draining: finishing what is in flight");
  const Milliseconds delay = ground_.settings.front.shutdown_delay;
  if (delay == Milliseconds(0)) return begin_drain();
  delay_.arm(delay);  // load balancers learn of it first
}

// Who waits behind a pause is served, too. Our copies of the sockets go first: who connected and is in a backlog that the
// front has let go of would wait there for as long as all others need, and be reset then.
void Supervisor::begin_drain() {
  ground_.listeners.close();
  for (const auto& group : groups_.all()) {
    if (group->gate() == upstream::Gate::kPaused) [[maybe_unused]] const auto resumed = group->resume();
  }
  front_.drain();
}

void Supervisor::stop_now() {
  log(Level::kWarning, "stopping now: cutting what is in flight");
  delay_.cancel();
  front_.drain_at_once();
  ground_.listeners.close();
  groups_.stop();
  groups_.kill_now();
}

void Supervisor::stop_workers() {
  groups_.stop();
  on_group_stopped();
}

void Supervisor::fail(std::string_view sentence, runtime::Code code) {
  status_ = exit_status(code);
  log(Level::kError, sentence);
}

}  // namespace supervisor
