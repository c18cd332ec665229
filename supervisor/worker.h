// One place of an app, and the processes that hold it one after the other. What happens when is
// worker_table.h; this performs the actions. How many there are, and when the next start is due: group.h. While
// one is replaced on purpose its place has two of these: group_replace.cpp.
#pragma once
#include <memory>
#include <string>

#include "conf/settings.h"
#include "runtime/loop.h"
#include "runtime/machine.h"
#include "supervisor/backoff.h"
#include "supervisor/death_certificate.h"
#include "supervisor/herd.h"
#include "supervisor/journey.h"
#include "supervisor/liveness.h"
#include "supervisor/output.h"
#include "supervisor/readiness.h"
#include "supervisor/reap.h"
#include "supervisor/release.h"
#include "supervisor/retire.h"
#include "supervisor/saved.h"
#include "supervisor/stuck.h"
#include "supervisor/worker_socket.h"
#include "supervisor/worker_table.h"
#include "supervisor/zygote.h"
#include "upstream/roster.h"

namespace supervisor {

class Group;
struct Seat;

class Worker {
 public:
  /// `group` owns it. It is of this release for its whole life.
  Worker(Herd& herd, Group& group, ReleaseRef release, upstream::AppIndex index, std::uint32_t slot);
  /// One of the program before us, with its process.
  Worker(Herd& herd, Group& group, ReleaseRef release, upstream::AppIndex index, std::uint32_t slot,
         const saved::Worker& saved);
  saved::Worker save() const;
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// The one way in. Everything that it leads to has been done when it returns.
  void on(Event event);
  /// SIGKILL to the process group, whatever the state; its exit follows.
  void kill_now();

  // From the front, for the process with this id.
  void on_probed(const upstream::Probed& answer);
  void on_stuck(const upstream::Stuck& told);
  void on_unstuck(const upstream::Unstuck& told);
  void on_spent();
  /// Of the process that ended here last, if it has that id.
  void on_lost(const upstream::Lost& told);
  /// Its memory, as it is now; looked at again and again where the app has a max_memory.
  void on_memory(runtime::Bytes held);
  /// More than max_memory, when it was looked at first since it was ready.
  bool was_too_large_at_once() const { return process_ && process_->first_held > app_.max_memory; }
  /// Its release has other settings now, which its process need not be replaced for.
  void on_amended();
  /// Whether it has to go, if it is ready; `target`: the release that is wanted.
  retire::Verdict verdict(const ReleaseRef& target) const;
  /// It has taken over the place of `before`, whose last process has ended since.
  void follow(Worker& before);

  State state() const { return state_; }
  std::uint32_t slot() const { return slot_; }
  const ReleaseRef& release() const { return release_; }
  bool has_process() const { return process_ != nullptr; }
  /// Id of the process, 0 without one.
  upstream::WorkerId id() const { return process_ ? process_->about.id : 0; }
  pid_t pid() const { return process_ ? process_->about.pid : 0; }
  /// What its process holds: resident, or, where it is forked, its own and its share of what others have, too.
  std::optional<runtime::Bytes> memory() const;
  std::uint32_t row() const { return process_ ? process_->about.row : 0; }
  runtime::WallTime started() const { return process_ ? process_->started : runtime::WallTime{}; }
  /// Of the last process here; its cause is empty: none has ended.
  const DeathCertificate& death() const { return death_; }
  /// How the last process here ended, in words; empty: none has.
  const std::string& last_exit() const { return death_.cause; }
  /// The last lines that the last process here printed.
  const std::deque<std::string>& last_lines() const { return death_.last_lines; }
  /// An idle place is not to be filled before this.
  runtime::Time not_before() const { return not_before_; }
  void wait_until(runtime::Time time) { not_before_ = time; }
  /// The process that ended last here had been ready.
  bool had_been_ready() const { return had_been_ready_; }
  /// Boots that failed in this place, in a row.
  Backoff& backoff() { return backoff_; }

 private:
  struct Process {
    Process(runtime::Time now) : journey(now) {}
    upstream::Worker about;
    std::unique_ptr<WorkerSocket> socket;  // empty: a service's
    std::unique_ptr<NotifySocket> notify;
    std::unique_ptr<Output> output;
    std::unique_ptr<Birth> birth;  // with `preload`, until there is a child
    runtime::Fd stacks;            // where those of a Python worker come from; until there is a child
    std::unique_ptr<Child> child;  // empty until the fork, and if that failed; not while `birth`
    std::unique_ptr<StuckExchanges> stuck;  // with child
    std::unique_ptr<Liveness> liveness;     // from when it is ready
    Journey journey;
    runtime::WallTime started{};
    runtime::Time begun{};
    runtime::Time ready_since{};  // while was_ready
    runtime::OomKills kills_before;
    retire::Limits limits;
    std::size_t looks_above = 0;  // in a row at its memory that found more than max_memory
    runtime::Bytes first_held = 0;  // what the first look found since it was ready; 0: there was none
    bool is_spent = false;  // it has had limits.requests
    bool has_row = false;  // about.row is ours
    bool was_ready = false;
    // The front was told to close its WebSockets. Not handed on: it may be told twice.
    bool is_closing_websockets = false;
    bool is_probed = false;   // the front was told to ask it
    std::string probe_cause;  // why its last probe said "not yet"; empty: none has
    std::string missed_socket;  // note_missed_socket(), when boot_timeout was over, before the kill. Not handed on: it is told at once
  };

  void perform(Action action);
  void spawn();
  runtime::Result<void> start_process();
  runtime::Result<void> be_forked(const Seat& seat, Variables environment);
  runtime::Result<runtime::Fd> fence(SpawnPlan& plan);
  void hold_zygote() { zygote_ = release_->zygote.lock(); }
  void on_born(runtime::Result<Spawned>& spawned);
  void take_child(Spawned spawned);
  void give_up_start(std::string why);
  std::string mark() const;
  runtime::Result<Variables> make_environment() const;
  void begin_probe();
  void publish();
  void unpublish();
  bool close_websockets();
  void watch_liveness();
  void term();
  void kill();
  void reap();
  ExitFacts exit_facts() const;
  std::string cause(const ExitFacts& around) const;
  upstream::ExitReason reason(const ExitFacts& around) const;
  DeathCertificate certificate(const ExitFacts& around) const;
  bool is_failed_boot() const;
  bool is_unexpected() const;
  void tell_end();
  std::string output_of(const DeathCertificate& death) const;
  void ask_about(upstream::WorkerId id, std::size_t answers);
  void tell_death();
  void tell_one_more() const;

  // worker_saved.cpp
  saved::Process save_process() const;
  void adopt_process(const saved::Process& saved);

  void on_exited(const Exit& exit);
  void on_notified(std::string_view datagram);
  void on_deadline();
  void note_missed_socket();
  void on_admission();

  Herd& herd_;
  Group& group_;
  const ReleaseRef release_;
  const conf::App& app_;      // of release_
  const Account& account_;    // of release_
  const upstream::AppIndex index_;
  const bool is_service_;     // the front knows nothing of it
  const std::uint32_t slot_;  // from 1
  Proof proof_;               // that process_ is ready
  State state_ = State::kIdle;
  State from_ = State::kIdle;         // the state before the event that is being performed
  std::unique_ptr<Process> process_;  // from spawn to reap
  std::shared_ptr<Zygote> zygote_;    // with `preload`, from the first start on
  Exit exit_;                         // of process_, once it has ended
  std::string start_failure_;         // why it could not even be started; empty: it could
  bool has_timed_out_ = false;        // boot_timeout was over for process_
  bool had_been_ready_ = false;
  Backoff backoff_;
  DeathCertificate death_;            // of the last process here
  // The fronts were asked what that one had in flight, and death_ is told when they have answered; 0: it has been told.
  upstream::WorkerId asked_about_ = 0;
  std::size_t answers_due_ = 0;  // while asked_about_
  std::size_t deaths_alike_ = 0; // in a row in the group, death_ included. Not handed on: it is told in full then
  runtime::Time not_before_{};
  runtime::Timer deadline_;   // the one deadline of state_
  runtime::Timer admission_;  // kPath as root: looks whether the socket is there by now
  runtime::Timer no_word_;    // the front does not answer: while asked_about_
};

}  // namespace supervisor
