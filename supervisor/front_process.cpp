#include "supervisor/front_process.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "conf/keys.h"
#include "conf/print.h"
#include "runtime/log.h"
#include "runtime/memory_text.h"
#include "supervisor/certificate_files.h"
#include "supervisor/environment.h"

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
// More of them are not believed: each takes a slot of its worker.
constexpr std::size_t kMostStuck = 4096;
constexpr int kChannelFd = 3;
constexpr int kBoardFd = 4;
constexpr int kHerdFd = 5;

// One that starts is told at once of every worker, app and address that there may be, and has not begun to read.
static_assert(runtime::Channel::kMaxWaiting > upstream::kMaxWorkers + upstream::kMaxApps + 2 * conf::kMostItems + 10);

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
    if (!app.asgi.empty()) app.asgi = "-:-";
    if (!app.proxy.empty()) app.proxy.assign(1, *conf::parse_address("unix:-"));  // and the same of these
    app.directory.clear();
    app.python = "-";
    app.preload = false;
    app.post_fork.clear();
    app.env.clear();
    app.env_file.clear();
    for (conf::Service& service : app.services) service = {.name = service.name, .command = {"-"}};  // for the page of figures
  }
  return conf::print(settings);
}

// It may be its root (proxy/fence.h): a socket in it goes by its name alone.
upstream::Order as_seen_from(const std::string& folder, upstream::Order order) {
  const auto shorten = [&folder](upstream::Worker& worker) {
    if (worker.socket.starts_with(folder + '/')) worker.socket.erase(0, folder.size() + 1);
  };
  if (auto* const probe = std::get_if<upstream::Probe>(&order)) shorten(probe->worker);
  if (auto* const publish = std::get_if<upstream::Publish>(&order)) shorten(publish->worker);
  return order;
}

std::vector<Fd> duplicates(const std::vector<Fd>& fds) {
  std::vector<Fd> copies;
  for (const Fd& fd : fds) copies.push_back(runtime::duplicate(fd.get()));
  return copies;
}

}  // namespace

Result<std::unique_ptr<FrontProcess>> FrontProcess::start(const FrontGround& ground,
                                                          const std::vector<upstream::Order>& known, bool is_strict,
                                                          FrontProcessCalls calls) {
  std::unique_ptr<FrontProcess> made(new FrontProcess(ground, is_strict, calls));
  made->block_ = ground.boards.fronts.begin_front();
  if (!made->block_) return fail(Code::kSystem, "too many fronts have not ended yet");
  TRY_VOID(made->spawn_it());
  TRY_VOID(made->say_start(known));
  made->deadline_.arm(kStartWithin);
  return made;
}

FrontProcess::FrontProcess(const FrontGround& ground, bool is_strict, FrontProcessCalls calls)
    : ground_(ground),
      loop_(ground.reaper.loop()),
      is_strict_(is_strict),
      calls_(calls),
      deadline_(loop_, runtime::bind<&FrontProcess::on_deadline>(this)),
      beat_(loop_, runtime::bind<&FrontProcess::on_beat>(this)) {}

std::unique_ptr<FrontProcess> FrontProcess::adopt(const FrontGround& ground, const saved::FrontProcess& saved,
                                                  FrontProcessCalls calls) {
  std::unique_ptr<FrontProcess> made(new FrontProcess(ground, /*is_strict=*/false, calls));
  made->child_ =
      std::make_unique<Child>(ground.reaper, saved.child, runtime::bind<&FrontProcess::on_exited>(made.get()));
  made->watch(saved::take(saved.channel));
  made->block_ = saved.block;
  made->is_started_ = true;
  made->started_at_ = saved.started_at;
  made->version_ = saved.version;
  made->owed_ = {saved.owed.begin(), saved.owed.end()};
  made->stuck_ = saved.stuck;
  made->unanswered_ = saved.unanswered;
  made->is_draining_ = saved.is_draining;
  made->is_cut_ = saved.is_cut;
  made->stands_in_folder_ = saved.stands_in_folder;
  if (saved.deadline) made->deadline_.arm_at(*saved.deadline);
  made->beat_.arm(kBeat);
  return made;
}

saved::FrontProcess FrontProcess::save() const {
  return {.child = child_->save(),
          .channel = {channel_->fd()},
          .block = *block_,
          .started_at = started_at_,
          .version = version_,
          .owed = {owed_.begin(), owed_.end()},
          .stuck = stuck_,
          .unanswered = unanswered_,
          .deadline = deadline_.is_armed() ? std::optional(deadline_.deadline()) : std::nullopt,
          .is_draining = is_draining_,
          .is_cut = is_cut_,
          .stands_in_folder = stands_in_folder_};
}

FrontProcess::~FrontProcess() {
  channel_.reset();
  child_.reset();
  let_go();
}

Result<void> FrontProcess::spawn_it() {
  TRY(auto ends, runtime::Channel::pair());
  SpawnPlan plan{.program = ground_.program.path, .program_fd = ground_.program.fd};
  plan.arguments = ground_.program.arguments;
  plan.arguments.insert(plan.arguments.begin(), ground_.program.path);
  plan.environment = to_texts(front_environment(own_environment()));
  plan.directory = ground_.folder;
  plan.may_gain_privileges = false;
  plan.capabilities = SpawnPlan::Capabilities::kChangeRoot;
  plan.fds = {{STDERR_FILENO, 1},
              {STDERR_FILENO, 2},
              {ends.second.get(), kChannelFd},
              {ground_.boards.fronts.fd(), kBoardFd},
              {ground_.boards.herd.fd(), kHerdFd}};
  if (is_root()) plan.account = ground_.account;
  TRY(Spawned spawned, spawn(plan));
  child_ = std::make_unique<Child>(ground_.reaper, std::move(spawned), runtime::bind<&FrontProcess::on_exited>(this));
  watch(std::move(ends.first));
  return {};
}

void FrontProcess::watch(Fd channel) {
  pid_ = child_->pid();
  channel_ = std::make_unique<runtime::Channel>(loop_, std::move(channel),
                                                runtime::bind<&FrontProcess::on_message>(this),
                                                runtime::bind<&FrontProcess::on_channel_closed>(this));
}

Result<void> FrontProcess::say_start(const std::vector<upstream::Order>& known) {
  TRY_VOID(say({ground_.settings, ground_.apps, ground_.listeners, difference({}, ground_.listeners.all()), ground_.logs}));
  tell_spool();
  TRY_VOID(tell_fence());
  for (const upstream::Order& order : known) tell(order);
  send(upstream::Begin{++version_});
  return {};
}

// What can fail comes first: nothing is gathered over there that no Begin would follow.
Result<void> FrontProcess::say(const FrontChange& change) {
  TRY(Fd text, runtime::to_memory("portherd-settings", text_for_the_front(change.settings)));
  TRY(CertificateFiles certificates, open_certificates(change.settings.tls.certificates));
  // Each https connection would be closed without a word; an error is tried again, and says why.
  if (certificates.names.empty() && std::ranges::any_of(change.listeners.all(), &Listener::tls))
    return fail(Code::kConfig, "no certificate is left for https in " + change.settings.tls.certificates);
  std::vector<Fd> one;
  one.push_back(std::move(text));
  send(upstream::Configure{change.apps}, std::move(one));
  for (const std::string& address : change.addresses.closings) send(upstream::Unlisten{address});
  for (const Listener* const listener : change.addresses.openings) {
    send(upstream::Listen{listener->text, listener->port, listener->tls, listener->shared, listener->proxy_protocol,
                          listener->metrics},
         duplicates(listener->sockets));
  }
  send(upstream::Certificates{certificates.names}, std::move(certificates.fds));
  say_logs(change.logs);
  return {};
}

/// What it counted stays.
void FrontProcess::let_go() {
  if (block_) ground_.boards.fronts.end_front(*std::exchange(block_, std::nullopt));
}

void FrontProcess::tell(const upstream::Order& order) {
  if (const auto* unpublish = std::get_if<upstream::Unpublish>(&order)) owed_.insert(unpublish->worker);
  if (const auto* ended = std::get_if<upstream::Ended>(&order)) {
    owed_.erase(ended->worker);
    std::erase_if(stuck_, [&](const upstream::Unstuck& one) { return one.worker == ended->worker; });
    if (ended->unexpected) unanswered_.push_back({.app = ended->app, .worker = ended->worker, .requests = 0, .ages = {}});
  }
  send(stands_in_folder_ ? as_seen_from(ground_.folder, order) : order);
}

void FrontProcess::tell_logs() {
  say_logs(ground_.logs);
  send(upstream::Begin{++version_});
}

Result<std::uint64_t> FrontProcess::change(const FrontChange& change) {
  TRY_VOID(say(change));
  return confirm();
}

std::uint64_t FrontProcess::confirm() {
  send(upstream::Begin{++version_});
  return version_;
}

void FrontProcess::say_logs(const LogFiles& logs) {
  send(upstream::Logs{}, supervisor::duplicates(logs));
}

void FrontProcess::tell_spool() {
  std::vector<Fd> folder;
  folder.push_back(runtime::duplicate(ground_.spool.get()));
  send(upstream::Spool{}, std::move(folder));
}

Result<void> FrontProcess::tell_fence() {
  const Fence& fence = ground_.fence;
  std::string folders;
  for (const std::string& folder : fence.readable) folders.append(folder).push_back('\0');
  std::vector<Fd> one(1);
  TRY(one[0], runtime::to_memory("portherd-folders", folders));
  send(upstream::Fence{.has_ports = fence.has_ports, .has_sockets = fence.has_sockets, .is_from_root = ::geteuid() == 0}, std::move(one));
  return {};
}

void FrontProcess::send(const upstream::Order& order, std::vector<Fd> fds) {
  if (channel_) channel_->send({upstream::encode(order), std::move(fds)});
}

void FrontProcess::on_message(runtime::Message& message) {
  if (is_condemned_) return;
  const auto order = upstream::decode(message.text);
  if (!order)
    return runtime::log(Level::kError, "the front says what no front should",
                        {{"error", order.error().text()}});
  if (const auto* started = std::get_if<upstream::Started>(&*order)) {
    on_started(*started);
  } else if (const auto* trouble = std::get_if<upstream::Trouble>(&*order)) {
    on_trouble(*trouble);
  } else if (note(*order)) {
    calls_.on_word(*this, *order);
  }
}

void FrontProcess::on_started(const upstream::Started& started) {
  if (std::exchange(is_started_, true)) return;
  started_at_ = loop_.now();
  said_ = started;
  if (!is_draining_) deadline_.cancel();
  beat_.arm(kBeat);
  runtime::log(Level::kInfo, "the front accepts", {{"pid", pid_}, {"threads", started.threads}});
  calls_.on_started(*this);
}

void FrontProcess::on_trouble(const upstream::Trouble& trouble) {
  runtime::log(Level::kError, "the front has trouble", {{"trouble", trouble.sentence}});
  if (!is_strict_ || is_started_ || is_draining_ || !child_) return;
  is_condemned_ = true;
  trouble_ = trouble.sentence;
  child_->kill_group();
}

/// False: nobody has to hear of it.
bool FrontProcess::note(const upstream::Order& order) {
  if (const auto* drained = std::get_if<upstream::Drained>(&order)) return owed_.erase(drained->worker) > 0;
  if (const auto* stuck = std::get_if<upstream::Stuck>(&order)) {
    if (stuck_.size() >= kMostStuck) return false;
    stuck_.push_back({stuck->app, stuck->worker, stuck->exchange});
  }
  if (const auto* lost = std::get_if<upstream::Lost>(&order)) {
    return std::erase_if(unanswered_, [&](const upstream::Lost& one) { return one.worker == lost->worker; }) > 0;
  }
  if (const auto* unstuck = std::get_if<upstream::Unstuck>(&order)) {
    std::erase_if(stuck_, [&](const upstream::Unstuck& one) {
      return one.worker == unstuck->worker && one.exchange == unstuck->exchange;
    });
  }
  return true;
}

// Its end follows at once, or it is broken: a front that cannot be told anything is of no use.
void FrontProcess::on_channel_closed() {
  if (child_ && !is_draining_) deadline_.arm(kCutWithin);
}

void FrontProcess::on_exited(const Exit& exit) {
  cause_ = child_->failure() ? child_->failure()->text() : describe(exit, {.sent_by_us = child_->sent(), .asked_by_us = child_->asked()});
  loop_.bury(std::move(child_));
  loop_.bury(std::move(channel_));
  deadline_.cancel();
  beat_.cancel();
  let_go();
  calls_.on_ended(*this);
}

void FrontProcess::on_deadline() {
  if (!child_) return;
  const char* what = is_draining_ ? "end" : is_started_ ? "listen to us" : "start";
  runtime::log(Level::kError, fmt::format("the front does not {}: killed", what), {{"pid", pid_}});
  child_->kill_group();
}

void FrontProcess::on_beat() {
  beat_.arm(kBeat);
  frozen_looks_ = last_turn() < loop_.now() - kFrozenAfter ? frozen_looks_ + 1 : 0;
  // Twice: if the whole machine stood still, the front gets a second to show that it lives.
  if (frozen_looks_ < 2) return;
  runtime::log(Level::kError, "a thread of the front has not turned its loop for 10 s: killed",
               {{"pid", pid_}});
  frozen_looks_ = 0;
  child_->kill_group();
}

runtime::Time FrontProcess::last_turn() const {
  const upstream::Block& block = ground_.boards.fronts.block(*block_);
  const std::size_t threads = std::min<std::size_t>(block.threads, upstream::kMaxThreads);
  runtime::Time last = runtime::Time::max();
  for (std::size_t i = 0; i < threads; ++i) {
    last = std::min(last, runtime::Time(Milliseconds(block.thread[i].heartbeat.load())));
  }
  return threads == 0 ? started_at_ : std::max(last, started_at_);
}

void FrontProcess::drain() {
  if (!child_ || std::exchange(is_draining_, true)) return;
  send(upstream::Drain{});
  deadline_.arm(ground_.settings.front.drain_timeout + kDrainSlack);
}

void FrontProcess::drain_at_once() {
  drain();
  if (!child_ || std::exchange(is_cut_, true)) return;
  send(upstream::Drain{.at_once = true});
  deadline_.arm(kCutWithin);
}

}  // namespace supervisor
