#include "supervisor/front.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <numeric>

#include "conf/print.h"
#include "runtime/log.h"
#include "runtime/random.h"
#include "supervisor/certificate_files.h"

namespace supervisor {
namespace {

using runtime::Code;
using runtime::fail;
using runtime::Fd;
using runtime::Level;
using runtime::Milliseconds;
using runtime::Result;

constexpr Milliseconds kBeat{1000};
constexpr Milliseconds kDrainSlack{2000};
constexpr Milliseconds kCutWithin{1000};
constexpr int kChannelFd = 3;
constexpr int kBoardFd = 4;
constexpr int kHerdFd = 5;

// Only what the front uses. It needs no secret of an app, and what is open comes as descriptors. Words of the
// command line and of the file system need not be UTF-8, nor as few as a file may have: it could not read
// them.
std::string text_for_the_front(conf::Settings settings) {
  settings.listen = {};
  settings.tls.certificates.clear();
  settings.front.spool = conf::Front().spool;
  settings.control.socket.clear();
  settings.log.access.path.clear();
  settings.log.error.path.clear();
  settings.metrics = {};
  for (conf::App& app : settings.apps) {
    if (!app.command.empty()) app.command.assign(1, "-");  // that it has one is what it is spoken to by
    if (!app.wsgi.empty()) app.wsgi = "-:-";
    if (!app.proxy.empty()) app.proxy.assign(1, *conf::parse_address("unix:-"));  // and the same of these
    app.directory.clear();
    app.python = "-";
    app.env.clear();
    app.env_file.clear();
    app.services.clear();
  }
  return conf::print(settings);
}

Result<Fd> in_memory(const std::string& text) {
  Fd fd(::memfd_create("portherd-settings", MFD_CLOEXEC));
  if (!fd || ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::lseek(fd.get(), 0, SEEK_SET) != 0) {
    return fail(Code::kSystem, "cannot write the settings for the front", errno);
  }
  return fd;
}

std::vector<Fd> duplicates(const std::vector<Fd>& fds) {
  std::vector<Fd> copies;
  for (const Fd& fd : fds) copies.push_back(runtime::duplicate(fd.get()));
  return copies;
}

}  // namespace

Front::Front(Reaper& reaper, const conf::Settings& settings, const Listeners& listeners, const LogFiles& logs,
             const runtime::Fd& spool, Boards& boards, const Account& account, FrontProgram program, FrontCalls calls)
    : reaper_(reaper),
      loop_(reaper.loop()),
      settings_(settings),
      listeners_(listeners),
      logs_(logs),
      spool_(spool),
      boards_(boards),
      account_(account),
      program_(std::move(program)),
      calls_(calls),
      start_(loop_, runtime::bind<&Front::on_start_due>(this)),
      deadline_(loop_, runtime::bind<&Front::on_deadline>(this)),
      beat_(loop_, runtime::bind<&Front::on_beat>(this)) {}

Result<void> Front::start() {
  block_ = boards_.fronts.begin_front();
  if (!block_) return fail(Code::kSystem, "too many fronts have not ended yet");
  auto started = spawn_front();
  if (started) started = say_start();
  if (!started) {
    child_.reset();
    channel_.reset();
    let_go();
    return started;
  }
  deadline_.arm(kStartWithin);
  return {};
}

Result<void> Front::spawn_front() {
  TRY(auto ends, runtime::Channel::pair());
  SpawnPlan plan{.program = program_.path, .program_fd = program_.fd};
  plan.arguments = program_.arguments;
  plan.arguments.insert(plan.arguments.begin(), program_.path);
  plan.environment = to_texts(front_environment(own_environment()));
  plan.directory.assign(1, '/');  // not = "/": g++ 12 warns of an overflow that cannot be
  plan.may_gain_privileges = false;
  plan.fds = {{STDERR_FILENO, 1},
              {STDERR_FILENO, 2},
              {ends.second.get(), kChannelFd},
              {boards_.fronts.fd(), kBoardFd},
              {boards_.herd.fd(), kHerdFd}};
  if (is_root()) plan.account = account_;
  TRY(Spawned spawned, spawn(plan));
  is_started_ = is_condemned_ = false;
  frozen_looks_ = 0;
  child_ = std::make_unique<Child>(reaper_, std::move(spawned), runtime::bind<&Front::on_exited>(this));
  channel_ = std::make_unique<runtime::Channel>(loop_, std::move(ends.first),
                                                runtime::bind<&Front::on_message>(this),
                                                runtime::bind<&Front::on_channel_closed>(this));
  return {};
}

Result<void> Front::say_start() {
  TRY(Fd text, in_memory(text_for_the_front(settings_)));
  TRY(CertificateFiles certificates, open_certificates(settings_.tls.certificates));
  // Each https connection would be closed without a word; an error is tried again, and says why.
  if (certificates.names.empty() && std::ranges::any_of(listeners_.all(), &Listener::tls))
    return fail(Code::kConfig, "no certificate is left for https in " + settings_.tls.certificates);
  std::vector<Fd> one;
  one.push_back(std::move(text));
  upstream::Configure configure;
  configure.apps.resize(settings_.apps.size());
  std::iota(configure.apps.begin(), configure.apps.end(), upstream::AppIndex{0});
  send(configure, std::move(one));
  for (const Listener& listener : listeners_.all()) {
    send(upstream::Listen{listener.text, listener.port, listener.tls, listener.shared, listener.proxy_protocol,
                          listener.metrics},
         duplicates(listener.sockets));
  }
  if (!certificates.names.empty())
    send(upstream::Certificates{certificates.names}, std::move(certificates.fds));
  say_logs();
  tell_spool();
  calls_.on_replay();
  send(upstream::Begin{++version_});
  return {};
}

/// What it counted stays.
void Front::let_go() {
  if (block_) boards_.fronts.end_front(*std::exchange(block_, std::nullopt));
}

void Front::tell(const upstream::Order& order) {
  send(order);
}

void Front::tell_logs() {
  say_logs();
  send(upstream::Begin{++version_});
}

void Front::say_logs() {
  send(upstream::Logs{}, supervisor::duplicates(logs_));
}

void Front::tell_spool() {
  std::vector<Fd> folder;
  folder.push_back(runtime::duplicate(spool_.get()));
  send(upstream::Spool{}, std::move(folder));
}

void Front::send(const upstream::Order& order, std::vector<Fd> fds) {
  if (channel_) channel_->send({upstream::encode(order), std::move(fds)});
}

void Front::on_message(runtime::Message& message) {
  if (is_condemned_) return;
  const auto order = upstream::decode(message.text);
  if (!order)
    return runtime::log(Level::kError, "the front says what no front should",
                        {{"error", order.error().text()}});
  if (const auto* started = std::get_if<upstream::Started>(&*order)) {
    is_started_ = was_started_ = true;
    started_at_ = loop_.now();
    backoff_.reset();
    if (!is_draining_) deadline_.cancel();
    beat_.arm(kBeat);
    runtime::log(Level::kInfo, "the front accepts", {{"pid", pid()}, {"threads", started->threads}});
    calls_.on_started();
  } else if (const auto* changed = std::get_if<upstream::Changed>(&*order)) {
    if (changed->refused.empty()) return;
    runtime::log(Level::kError, "the front has refused a change", {{"version", changed->version}, {"error", changed->refused}});
  } else if (const auto* probed = std::get_if<upstream::Probed>(&*order)) {
    calls_.on_probed(*probed);
  } else if (const auto* drained = std::get_if<upstream::Drained>(&*order)) {
    calls_.on_drained(*drained);
  } else if (const auto* stuck = std::get_if<upstream::Stuck>(&*order)) {
    calls_.on_stuck(*stuck);
  } else if (const auto* unstuck = std::get_if<upstream::Unstuck>(&*order)) {
    calls_.on_unstuck(*unstuck);
  } else if (const auto* spent = std::get_if<upstream::Spent>(&*order)) {
    calls_.on_spent(*spent);
  } else if (const auto* lost = std::get_if<upstream::Lost>(&*order)) {
    calls_.on_lost(*lost);
  } else if (const auto* trouble = std::get_if<upstream::Trouble>(&*order)) {
    runtime::log(Level::kError, "the front has trouble", {{"trouble", trouble->sentence}});
    // At the very first start the operator is there to mend it; later half a front is better than none.
    if (was_started_ || !child_) return;
    is_condemned_ = true;
    child_->kill_group();
  }
}

// Its end follows at once, or it is broken: a front that cannot be told anything is of no use.
void Front::on_channel_closed() {
  if (child_ && !is_draining_) deadline_.arm(kCutWithin);
}

void Front::on_exited(const Exit& exit) {
  const std::string cause =
      child_->failure() ? child_->failure()->text() : describe(exit, {.sent_by_us = child_->sent()});
  const pid_t pid = child_->pid();
  loop_.bury(std::move(child_));
  loop_.bury(std::move(channel_));
  deadline_.cancel();
  beat_.cancel();
  const bool was_running = std::exchange(is_started_, false);
  let_go();
  if (is_draining_) {
    runtime::log(Level::kInfo, "the front has ended", {{"pid", pid}, {"exit", cause}});
    return calls_.on_gone(true);
  }
  if (!was_started_) {
    runtime::log(Level::kError, "the front has ended before it could start", {{"pid", pid}, {"exit", cause}});
    return calls_.on_gone(false);
  }
  runtime::log(Level::kError, "the front has ended: starting another", {{"pid", pid}, {"exit", cause}});
  start_.arm(was_running ? allowance_.take(loop_.now()) : backoff_.next(runtime::random_unit()));
}

void Front::on_start_due() {
  if (is_draining_) return calls_.on_gone(true);
  const auto started = start();
  if (started) return;
  runtime::log(Level::kError, "the front cannot be started", {{"error", started.error().text()}});
  start_.arm(std::max(backoff_.next(runtime::random_unit()), Backoff::kFirst));
}

void Front::on_deadline() {
  if (!child_) return;
  const char* what = is_draining_ ? "end" : is_started_ ? "listen to us" : "start";
  runtime::log(Level::kError, fmt::format("the front does not {}: killed", what), {{"pid", pid()}});
  child_->kill_group();
}

void Front::on_beat() {
  beat_.arm(kBeat);
  frozen_looks_ = is_frozen() ? frozen_looks_ + 1 : 0;
  // Twice: if the whole machine stood still, the front gets a second to show that it lives.
  if (frozen_looks_ < 2) return;
  runtime::log(Level::kError, "a thread of the front has not turned its loop for 10 s: killed",
               {{"pid", pid()}});
  frozen_looks_ = 0;
  child_->kill_group();
}

bool Front::is_frozen() {
  const auto milliseconds = [](runtime::Time time) {
    return std::chrono::duration_cast<Milliseconds>(time.time_since_epoch()).count();
  };
  const auto oldest = milliseconds(loop_.now() - kFrozenAfter);
  if (milliseconds(started_at_) > oldest) return false;
  const upstream::Block& block = boards_.fronts.block(*block_);
  const std::size_t threads = std::min<std::size_t>(block.threads, upstream::kMaxThreads);
  for (std::size_t i = 0; i < threads; ++i) {
    if (static_cast<std::int64_t>(block.thread[i].heartbeat.load()) < oldest) return true;
  }
  return false;
}

void Front::drain() {
  if (is_draining_) return;
  is_draining_ = true;
  if (!child_) {
    start_.arm(Milliseconds(0));  // on_gone from the loop, not from here
    return;
  }
  send(upstream::Drain{});
  deadline_.arm(settings_.front.drain_timeout + kDrainSlack);
}

void Front::drain_at_once() {
  drain();
  if (!child_) return;
  send(upstream::Drain{.at_once = true});
  deadline_.arm(kCutWithin);
}

void Front::abandon() {
  start_.cancel();
  channel_.reset();
  child_.reset();
}

}  // namespace supervisor
