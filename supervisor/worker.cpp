#include "supervisor/worker.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <iterator>

#include "runtime/log.h"
#include "runtime/random.h"
#include "supervisor/group.h"
#include "supervisor/plan.h"
#include "supervisor/wrapper.h"

namespace supervisor {
namespace {

using runtime::Code;
using runtime::fail;
using runtime::Fd;
using runtime::Level;
using runtime::log;
using runtime::Milliseconds;
using runtime::Result;

constexpr Milliseconds kKillAgain{5000};  // a process in uninterruptible sleep takes no signal
constexpr Milliseconds kLookForSocket{20};
// For a front to close a worker's WebSockets: half of it is the front's, which cuts them then.
constexpr Milliseconds kFarewell{1000};

Result<std::pair<Fd, Fd>> pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(Code::kSystem, "cannot make a pipe", errno);
  return std::pair(Fd(ends[0]), Fd(ends[1]));
}

}  // namespace

Worker::Worker(Herd& herd, Group& group, ReleaseRef release, upstream::AppIndex index, std::uint32_t slot)
    : herd_(herd),
      group_(group),
      release_(std::move(release)),
      app_(release_->app),
      account_(release_->account),
      index_(index),
      is_service_(group.is_service()),
      slot_(slot),
      proof_(is_service_ ? proof_for_service() : proof_for(app_)),
      deadline_(herd.reaper.loop(), runtime::bind<&Worker::on_deadline>(this)),
      admission_(herd.reaper.loop(), runtime::bind<&Worker::on_admission>(this)),
      no_word_(herd.reaper.loop(), runtime::bind<&Worker::tell_death>(this)) {}

void Worker::on(Event event) {
  const Cell& cell = step(state_, event);
  if (cell.is_bug) {
    return log(Level::kError, "a mistake of ours: this cannot happen to a worker",
               {{"app", app_.name}, {"worker", slot_}, {"state", name(state_)}, {"event", name(event)}});
  }
  from_ = state_;
  state_ = cell.next;
  if (state_ != from_) deadline_.cancel();
  has_timed_out_ = has_timed_out_ || (from_ == State::kStarting && event == Event::kTimer);
  for (const Action action : cell.actions) perform(action);
  if (state_ != from_) group_.on_changed(*this, from_);
}

void Worker::perform(Action action) {
  switch (action) {
    case Action::kNothing:
      return;
    case Action::kSpawn:
      return spawn();
    case Action::kPublish:
      return publish();
    case Action::kUnpublish:
      return unpublish();
    case Action::kTerm:
      return term();
    case Action::kKill:
      return kill();
    case Action::kReap:
      return reap();
    case Action::kArm:
      return deadline_.arm(group_.wait_before_next(*this));
    case Action::kReport:
      return group_.on_failed(*this);
  }
}

void Worker::spawn() {
  has_timed_out_ = false;
  exit_ = {};
  start_failure_.clear();
  const runtime::Time now = herd_.reaper.loop().now();
  process_ = std::make_unique<Process>(now);
  if (!is_service_) proof_ = proof_for(app_);  // a reload may have changed it
  process_->limits = retire::draw_limits(app_, runtime::random_unit(), runtime::random_unit());
  if (const auto started = start_process(); !started) {
    return give_up_start(started.error().text());
  }
  deadline_.arm(proof_.runs_for != Milliseconds(0) ? proof_.runs_for : app_.boot_timeout);
  if (proof_.probe && !proof_.probe_after) begin_probe();
}

Result<void> Worker::start_process() {
  Process& process = *process_;
  upstream::Worker& about = process.about;
  about = {.id = ++herd_.last_id,
           .app = index_,
           .slot = slot_,
           .generation = release_->generation,
           .slots = static_cast<std::uint32_t>(app_.concurrency),
           .speech = upstream::speech_of(app_),
           .max_requests = process.limits.requests};
  const auto row = herd_.rows.take();
  if (!row) return fail(Code::kSystem, fmt::format("there are {} workers already", upstream::kMaxWorkers));
  about.row = *row;
  process.has_row = true;
  // Both names of a service would be too long for the address of a socket.
  const std::string stem = herd_.folder / fmt::format("{}.{}", is_service_ ? "service" : app_.name, about.id);
  Seat seat;
  if (!is_service_) {
    TRY(WorkerSocket socket, WorkerSocket::make(handover_of(app_), stem, account_, herd_.front_account));
    process.socket = std::make_unique<WorkerSocket>(std::move(socket));
    about.socket = process.socket->address();
    seat = {.socket = process.socket->path(), .port = process.socket->port(), .socket_fd = process.socket->fd()};
  }
  const std::string notify_path = stem + ".notify";
  TRY(Fd notify, NotifySocket::bind(notify_path));
  TRY_VOID(give(notify_path, account_, herd_.front_account));
  process.notify = std::make_unique<NotifySocket>(herd_.reaper.loop(), std::move(notify), notify_path,
                                                  runtime::bind<&Worker::on_notified>(this));
  TRY(auto out, pipe());
  TRY(auto err, pipe());
  StackPipe::Ends stacks;
  if (app_.is_python()) {
    TRY(stacks, StackPipe::make());
  }
  process.stacks = std::move(stacks.ours);
  seat.notify = notify_path;
  seat.blob_fd = herd_.python.get();
  seat.out = out.second.get();
  seat.err = err.second.get();
  seat.stack = stacks.theirs.get();
  process.output =
      std::make_unique<Output>(herd_.reaper.loop(), herd_.output, mark(), std::move(out.first), std::move(err.first));
  process.kills_before = group_.oom_kills(app_);
  process.started = std::chrono::system_clock::now();
  process.begun = herd_.reaper.loop().now();
  TRY(Variables environment, make_environment());
  if (app_.preload) {
    TRY_VOID(be_forked(seat, std::move(environment)));
  } else {
    TRY(SpawnPlan plan, is_service_ ? plan_service(app_, seat, std::move(environment), account_)
                                    : plan_worker(app_, seat, std::move(environment), account_));
    TRY(const Fd group, fence(plan));
    TRY(Spawned spawned, supervisor::spawn(plan));
    take_child(std::move(spawned));
  }
  if (process.socket) process.socket->close();
  return {};
}

// What keeps it within its bounds. The descriptor is the plan's: its group, if it has one.
Result<Fd> Worker::fence(SpawnPlan& plan) {
  plan.descriptors = herd_.descriptors;
  bound(plan, app_, herd_.powers);
  Cgroups::Entry entry = group_.enter_cgroup(app_);
  plan.group = entry.procs.get();
  process_->kills_before = group_.oom_kills(app_);  // the group's count, which may have begun only now
  std::vector<conf::Withheld> missing = withheld(app_, herd_.powers);
  std::ranges::move(entry.withheld, std::back_inserter(missing));
  if (app_.strict && !missing.empty()) return fail(Code::kConfig, fmt::format("{} (and `strict` is on)", missing.front().why));
  if (missing.empty() || std::exchange(release_->has_told_of_withheld, true)) return std::move(entry.procs);
  for (const conf::Withheld& one : missing) {
    log(Level::kWarning, "a setting is not in force; the app is started all the same (`strict` would keep it from that)",
        {{"app", app_.name}, {"key", one.key}, {"cause", one.why}});
  }
  return std::move(entry.procs);
}

// By the zygote of our release: the first of its workers starts one, which says in that one's name what its import says.
Result<void> Worker::be_forked(const Seat& seat, Variables environment) {
  hold_zygote();
  if (!zygote_ || !zygote_->is_alive()) {
    TRY(auto control, runtime::Channel::pair());
    TRY(SpawnPlan plan, plan_zygote(app_, seat, control.second.get(), std::move(environment), account_));
    TRY(const Fd group, fence(plan));
    TRY(zygote_, Zygote::start(herd_.reaper, plan, std::move(control.first), app_.name));
    release_->zygote = zygote_;
  }
  TRY(process_->birth,
      Birth::ask(zygote_, {.notify = seat.notify, .listener = seat.socket_fd, .out = seat.out, .err = seat.err, .stack = seat.stack},
                 runtime::bind<&Worker::on_born>(this)));
  return {};
}

void Worker::on_born(Result<Spawned>& spawned) {
  herd_.reaper.loop().bury(std::move(process_->birth));
  if (!spawned) return give_up_start(spawned.error().text());
  take_child(std::move(*spawned));
}

void Worker::take_child(Spawned spawned) {
  Process& process = *process_;
  process.about.pid = spawned.pid;
  process.child =
      std::make_unique<Child>(herd_.reaper, std::move(spawned), runtime::bind<&Worker::on_exited>(this));
  process.stuck = std::make_unique<StuckExchanges>(herd_.front, app_, process.about, *process.child, herd_.reaper.loop(),
                                                   std::move(process.stacks));
  process.journey.note("spawned", runtime::Clock::now());
  if (process.socket && !process.socket->admit(herd_.front_account)) admission_.arm(kLookForSocket);
  log(Level::kDebug, "worker has been started", {{"app", app_.name}, {"worker", slot_}, {"pid", process.about.pid}});
}

// There is no process, nor will there be one: the exit that this is comes from the loop, see on_deadline().
void Worker::give_up_start(std::string why) {
  process_->birth.reset();
  start_failure_ = std::move(why);
  deadline_.arm(Milliseconds(0));
}

// A service's name has both: "shop.queue".
std::string Worker::mark() const {
  return is_service_ ? app_.name : fmt::format("{}.{}", app_.name, slot_);
}

Result<Variables> Worker::make_environment() const {
  if (!release_->file_environment) {
    TRY(release_->file_environment, file_environment(app_));
  }
  return app_environment(app_, herd_.is_run ? herd_.own : clean_environment(herd_.own, account_),
                         *release_->file_environment);
}

void Worker::begin_probe() {
  process_->is_probed = true;
  herd_.front.tell(upstream::Probe{process_->about, proof_.path});
}

void Worker::publish() {
  process_->was_ready = true;
  process_->ready_since = herd_.reaper.loop().now();
  backoff_.reset();
  process_->journey.note("ready", herd_.reaper.loop().now());
  if (!is_service_) {
    herd_.front.tell(upstream::Publish{process_->about});
    watch_liveness();
  }
  log(group_.crash_loop().is_on(herd_.reaper.loop().now()) ? Level::kDebug : Level::kInfo, "worker is ready",
      {{"app", app_.name},
       {"worker", slot_},
       {"pid", process_->about.pid},
       {"journey", process_->journey.text()}});
}

void Worker::watch_liveness() {
  process_->liveness = std::make_unique<Liveness>(runtime::bind<&Front::tell>(&herd_.front), app_, process_->about,
                                                  herd_.fronts, herd_.reaper.loop());
}

// What an old question comes to is nobody's answer, and what was too large need not be any more.
void Worker::on_amended() {
  if (process_) process_->looks_above = 0;
  if (process_ && process_->liveness) watch_liveness();
}

void Worker::unpublish() {
  process_->liveness.reset();
  if (!process_->child->is_alive()) return;  // the front hears that it has ended, which is more
  if (is_service_) return deadline_.arm(Milliseconds(0));  // nobody is to be waited for
  herd_.front.tell(upstream::Unpublish{index_, process_->about.id});
  deadline_.arm(app_.graceful_timeout);
}

// The last of what it has in flight, and a moment for it before it is told to end. False: they have had it; or it closes
// them itself when it is told, as our worker for ASGI does: so the app, too, hears of it.
bool Worker::close_websockets() {
  if (is_service_ || process_->about.speech == upstream::Speech::kScopes || std::exchange(process_->is_closing_websockets, true)) return false;
  herd_.front.tell(upstream::CloseWebsockets{index_, process_->about.id});
  deadline_.arm(kFarewell);
  return true;
}

void Worker::term() {
  if (!process_->child) return give_up_start("it was not needed any more");
  deadline_.arm(app_.graceful_timeout);
  process_->child->signal(app_.stop_signal.number);
}

void Worker::kill() {
  if (!process_->child) {
    zygote_->kill();  // it imports for ever; its workers live on
    return give_up_start("its zygote has forked no worker within boot_timeout");
  }
  deadline_.arm(kKillAgain);
  process_->child->kill_group();
}

void Worker::kill_now() {
  if (!process_) return;
  process_->child ? process_->child->kill_group() : give_up_start("killed before it was a worker");
}

void Worker::on_exited(const Exit& exit) {
  exit_ = exit;
  on(Event::kExited);
}

// A zygote may tell what it likes in the name of a worker that is not there yet.
void Worker::on_notified(std::string_view datagram) {
  if (app_.reload) group_.on_imported(imported_in(datagram));
  if (state_ != State::kStarting || !process_->child || !says_ready(datagram)) return;
  process_->journey.note("notified", herd_.reaper.loop().now());
  if (proof_.probe_after) {
    if (!process_->is_probed) begin_probe();
  } else if (proof_.notify) {
    on(Event::kReady);
  }
}

void Worker::on_probed(const upstream::Probed& answer) {
  if (state_ == State::kReady) {
    if (process_->liveness) process_->liveness->on_answer(answer);
    return group_.look();
  }
  if (state_ != State::kStarting || !process_->child) return;
  if (answer.is_ready) return on(Event::kReady);
  process_->probe_cause = answer.cause;
  log(Level::kDebug, "worker is not ready yet",
      {{"app", app_.name}, {"worker", slot_}, {"cause", answer.cause}});
}

// One that is not ready never had a request; its end may have crossed with what the front says.
// One that has been told to end has enough to do with that; one that is not ready yet might die of the signal.
void Worker::on_stuck(const upstream::Stuck& told) {
  if (!process_ || (state_ != State::kReady && state_ != State::kDraining)) return;
  process_->stuck->add(told.exchange);
  group_.look();
}

void Worker::on_unstuck(const upstream::Unstuck& told) {
  if (!process_ || !process_->was_ready) return;
  process_->stuck->remove(told.exchange);
  group_.look();
}

void Worker::on_spent() {
  if (!process_ || !process_->was_ready) return;
  process_->is_spent = true;
  group_.look();
}

void Worker::on_memory(runtime::Bytes held) {
  if (!process_) return;
  process_->looks_above = held > app_.max_memory ? process_->looks_above + 1 : 0;
  if (state_ == State::kReady && process_->first_held == 0) {
    process_->first_held = held;
    if (held <= app_.max_memory) group_.on_size_fits();
  }
  if (process_->looks_above == retire::kLooks) group_.look();
}

std::optional<runtime::Bytes> Worker::memory() const {
  if (pid() == 0) return std::nullopt;
  return app_.preload ? runtime::proportional_memory(pid()) : runtime::resident_memory(pid());
}

retire::Verdict Worker::verdict(const ReleaseRef& target) const {
  if (state_ != State::kReady) return {};
  const Process& process = *process_;
  const bool gets_old = process.limits.age != Milliseconds(0);
  return retire::verdict({.is_of_another_release = release_ != target,
                          .stuck_since = process.stuck->since(),
                          .graceful_timeout = app_.graceful_timeout,
                          .is_unwell = process.liveness && process.liveness->is_unwell(),
                          .looks_above = process.looks_above,
                          .spared_until = was_too_large_at_once() ? std::optional(group_.spared_until()) : std::nullopt,
                          .is_spent = process.is_spent,
                          .old_at = gets_old ? std::optional(process.ready_since + process.limits.age) : std::nullopt},
                         herd_.reaper.loop().now());
}

void Worker::follow(Worker& before) {
  tell_death();
  death_ = std::move(before.death_);
  if (before.asked_about_ != 0) ask_about(std::exchange(before.asked_about_, 0), before.answers_due_);
}

// A start that failed at once is an exit too, but one that comes from the loop.
void Worker::on_deadline() {
  const bool never_was = process_ && !process_->child && !process_->birth;
  if (!never_was && state_ == State::kStarting && proof_.runs_for != Milliseconds(0)) return on(Event::kReady);
  if (state_ == State::kDraining && close_websockets()) return;
  if (!never_was && state_ == State::kStarting) note_missed_socket();
  on(never_was ? Event::kExited : Event::kTimer);
}

// For the cause of a boot that took too long: whether the program may not have found its socket.
void Worker::note_missed_socket() {
  if (app_.kind() != conf::AppKind::kCommand || !is_told_by_listen_pid(app_)) return;
  process_->missed_socket = told_of_wrapper(pid());
  if (process_->missed_socket.empty() && process_->is_probed) process_->missed_socket = told_of_port(process_->probe_cause);
}

void Worker::on_admission() {
  if (process_ && !process_->socket->admit(herd_.front_account)) admission_.arm(kLookForSocket);
}

}  // namespace supervisor
