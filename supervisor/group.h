// All workers of one app: how many are wanted, of which release, when the next start is due, and what the app's
// state is. One worker's life is worker.h. The rules: docs/design.md, "Worker life".
//
// It is told what is wanted (start, scale, release, stop), notes what happens, and in tend() makes the one into
// the other: a step at a time, the same steps for every reason. group.cpp keeps the places filled;
// group_replace.cpp replaces who serves in one of them, make-before-break; group_release.cpp judges whether a
// release has come into force; group_scale.cpp says how many are wanted; group_await.cpp tells whoever ordered that when they
// are there; group_gate.cpp keeps clients out; group_sources.cpp watches its files, where that is wanted; group_proxies.cpp has those that somebody else supervises. A service of an
// app is a group, too, of one worker that the front knows nothing of, and belongs to the app's: group_services.cpp.
#pragma once
#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conf/settings.h"
#include "runtime/result.h"
#include "supervisor/backoff.h"
#include "supervisor/death_certificate.h"
#include "supervisor/gate.h"
#include "supervisor/herd.h"
#include "supervisor/place.h"
#include "supervisor/release.h"
#include "supervisor/retire.h"
#include "supervisor/saved.h"
#include "supervisor/scale.h"
#include "supervisor/source_watch.h"
#include "supervisor/worker.h"
#include "upstream/roster.h"

namespace supervisor {

struct GroupCalls {
  runtime::Call<> on_stopped;       ///< after stop(): no process is left
  runtime::Call<Group&> on_failed;  ///< the first generation of `run` gives up
};

/// Who hears how a release goes. Both are called from the loop; on_done once.
struct ReleaseCalls {
  std::function<void(const std::string& sentence)> on_progress;
  /// In force: every worker is of it and ready. An error: it is not, and why; with the app's own last lines.
  std::function<void(const runtime::Result<void>&)> on_done;
};

class Group {
 public:
  /// `owner`: whose service it is, and then `app` is what conf::service_app() has made; null: an app.
  Group(Herd& herd, conf::App app, Account account, upstream::AppIndex index, GroupCalls calls, Group* owner = nullptr);
  /// One of the program before us, started, with its workers. `saved` has been checked.
  Group(Herd& herd, const saved::Group& saved, GroupCalls calls);
  /// Not while it is_being_changed(). Errors: see saved::from_settings.
  runtime::Result<saved::Group> save() const;

  /// It is of the first generation of `run`: if it does not become ready, nothing is tried again, and on_failed comes. Before
  /// start().
  void give_up_if_it_fails();
  void start();
  /// The app has gone, and the fronts know it: its workers, and those of somebody else, finish what they have and leave. It
  /// is not to be started again. on_stopped comes.
  void leave();
  /// Everybody leaves, the last one first, and then the services. The front has ended, so nobody is busy. It may be
  /// done when it returns: ask is_stopped(); else on_stopped comes.
  void stop();
  void kill_now();
  /// Workers of somebody else are there without us: before the first front, for all.
  void publish_proxies();

  /// So many workers, by order, until unpin().
  void scale(std::size_t number);
  /// The settings say anew how many workers there are to be.
  void unpin();
  /// Who has ordered a start, or another number of workers, hears how many are ready, and when all that are wanted are; `whom`:
  /// the services, too. An error: one of them did not become ready, or too few did for boot_timeout after the last one that did.
  /// What is wanted is tried on then. One asker at a time: another order takes the place of the one before, which is told so.
  enum class Whom { kWorkers, kServicesToo };
  void when_ready(Whom whom, ReleaseCalls calls);
  /// A new generation, which takes over worker by worker, and then service by service. One that is still on its way is given up, and told
  /// so. If a worker or a service of it does not become ready and the generation before served, that one stays: whoever has been
  /// replaced by then is replaced back before on_done says so.
  void release(conf::App app, Account account, ReleaseCalls calls);
  /// Other settings that need no new worker: in force for those that there are, too. If it is `workers` that differs, there are
  /// as many as that says. Services that need a new process get one, and `calls` hears how they fare; each that fails falls back
  /// alone. False: there are none, or a release that is on its way brings them; nobody is called.
  bool amend(conf::App app, ReleaseCalls calls);
  /// The same as release(), of the settings that it has: its code is another, or it is to begin afresh.
  void restart(ReleaseCalls calls) { release(target_->app, target_->account, std::move(calls)); }
  /// The generation before the one in force, as it was configured then. Errors: there is none.
  runtime::Result<void> roll_back(ReleaseCalls calls);

  // Between clients and workers. Errors, kConfig: it does not fit to what was ordered before; see gate.h.
  /// Requests wait, no longer than this.
  runtime::Result<void> pause(runtime::Milliseconds at_most);
  runtime::Result<void> resume();
  /// `notice`: what clients are told; one line, at most kMostNotice bytes. Empty: that there is maintenance.
  runtime::Result<void> begin_maintenance(std::string notice);
  runtime::Result<void> end_maintenance();
  using Gone = std::function<void(const runtime::Result<void>&)>;
  /// `on_gone`, from the loop: no worker is left. An error: it was started again before.
  runtime::Result<void> switch_off(Gone on_gone);
  runtime::Result<void> switch_on();

  void on_wanted();
  void on_probed(const upstream::Probed& answer);
  void on_drained(const upstream::Drained& answer);
  void on_stuck(const upstream::Stuck& told);
  void on_unstuck(const upstream::Unstuck& told);
  void on_spent(const upstream::Spent& told);
  void on_lost(const upstream::Lost& told);

  // From its workers.
  void on_changed(Worker& worker, State from);
  void on_boot_failed(const Worker& worker);
  void on_exited(const Worker& worker, upstream::ExitReason reason);
  void on_failed(Worker& worker);
  /// A worker has imported modules that lie there.
  void on_imported(const std::vector<std::string>& folders);
  /// Something has been learned of a worker that may mean that it has to go.
  void look() { tend_soon_.schedule(); }
  /// One that became ready is not larger than max_memory.
  void on_size_fits();
  /// Who was larger than max_memory at once serves until then: the next one will not be smaller.
  runtime::Time spared_until() const { return spared_until_; }
  /// How long its place stays empty after an exit.
  runtime::Milliseconds wait_before_next(Worker& worker);
  /// Consecutive failed boots, this one included.
  std::size_t failures() const { return failures_; }
  /// In full, that is. What makes `run` give up is told by the supervisor.
  bool is_worth_saying_now() const { return is_worth_saying(failures_) && !may_give_up(); }

  CrashLoop& crash_loop() { return crash_loop_; }

  /// As the release that is wanted has it.
  const conf::App& app() const { return target_->app; }
  std::uint32_t generation() const { return target_->generation; }
  upstream::AppIndex index() const { return index_; }
  /// Workers.
  std::size_t wanted() const { return gate_ == upstream::Gate::kStopped ? 0 : wanted_; }
  /// By order, not by the settings.
  bool is_pinned() const { return is_pinned_; }
  upstream::Gate gate() const { return gate_; }
  /// Empty: it is not paused.
  std::optional<runtime::Time> paused_until() const {
    return pause_.is_armed() ? std::optional(pause_.deadline()) : std::nullopt;
  }
  /// By place: those that count.
  std::vector<const Worker*> workers() const;
  /// Who is to come, and who has to go, beside those.
  std::vector<const Worker*> extras() const;
  /// By place, the extra ones last.
  std::vector<Worker*> all() const;
  /// By generation: those that live.
  std::vector<std::pair<std::uint32_t, std::shared_ptr<const Zygote>>> zygotes() const;
  /// Workers that somebody else supervises.
  const upstream::Roster& proxies() const { return proxies_; }
  /// One for each service.
  const std::vector<std::unique_ptr<Group>>& services() const { return services_; }
  bool is_service() const { return owner_ != nullptr; }
  bool is_stopping() const { return is_stopping_; }
  bool is_stopped() const;
  bool is_all_ready() const;
  bool is_being_released() const { return rollout_.has_value(); }
  /// A change of it is on its way, or somebody waits until one is done.
  bool is_being_changed() const;
  /// "starting", "ready", "degraded" (some are not ready), "failing" (all are waiting for the next try),
  /// "failed", "stopping"; by order "paused", "maintenance", "stopped"; "asleep" until somebody asks for it.
  std::string_view state() const;
  /// How often a worker was started in the place of one that had ended, or had to.
  std::uint64_t restarts() const { return figures().restarts; }
  /// Which worker was the last to end without an order, and why; empty: none has.
  const std::string& last_exit() const { return last_exit_; }
  /// Why its first generation has failed.
  const std::string& failure() const { return failure_; }
  /// Its workers and services are of these settings, or are to be.
  bool goes_by(const conf::App& settings) const;

 private:
  using OwnRelease = std::shared_ptr<Release>;  // shared with its workers
  using Places = std::vector<std::unique_ptr<Place>>;

  // group.cpp
  Group(Herd& herd, OwnRelease target, upstream::AppIndex index, GroupCalls calls, Group* owner, bool is_adopted);
  void tend();
  void tend_at(runtime::Time due);
  void fit();
  void add_place();
  void dismiss_a_place();
  void fill(Place& place);
  void renew(Place& place);
  void begin(Worker& worker);
  bool is_another_being_tried(const Worker& worker) const;
  std::unique_ptr<Worker> make_worker(std::uint32_t slot);
  void bury(std::unique_ptr<Worker> worker);
  void show();
  upstream::AppHerd& figures() const { return is_service() ? service_row_->figures() : herd_.figures.app[index_]; }
  bool may_give_up() const { return gives_up_ && !has_been_ready_ && !is_stopping_; }
  Worker* find(upstream::WorkerId id) const;

  // group_proxies.cpp
  void fill_proxies();
  void renew_proxies();
  void dismiss_proxies();
  void settle_proxies();
  void on_proxy_drained(upstream::WorkerId id);
  void on_proxy_stuck(const upstream::Stuck& told) const;
  void forget_proxy(const upstream::Worker& proxy);

  // group_scale.cpp
  std::optional<std::size_t> pinned() const { return is_pinned_ ? std::optional(wanted_) : std::nullopt; }
  void want(std::size_t number, std::string_view why);
  void want(std::size_t number);
  bool sleeps() const { return app().has_processes() && wanted() == 0; }
  bool may_wake() const { return sleeps() && !is_service() && gate_ != upstream::Gate::kStopped; }
  void fall_asleep();
  void size_by_machine();
  void watch_load();
  void look_at_load();
  scale::Memory memory() const;
  void advise_on_memory() const;
  void note_promise();
  void note_size(const Worker& worker);

  // group_await.cpp
  void make_way_for_order();
  void judge_awaited();
  void on_awaited_boot_failed(const Group& whose, const Worker& worker);
  void on_patience_over();
  void finish_awaiting(const runtime::Result<void>& how);
  std::size_t count_ready() const;

  // group_gate.cpp
  runtime::Result<void> turn(Turn turn, std::string notice = {});
  void on_pause_over();
  void tell_if_gone();
  void tell_state();

  // group_replace.cpp
  void replace_due();
  bool may_replace(retire::Why why) const;
  void replace(Place& place, retire::Why why);
  void note_too_large(const Worker& worker);
  void settle(Place& place);
  void hand_over(Place& place);
  void dismiss_successor(Place& place);

  // group_services.cpp
  GroupCalls calls_of_service();
  Group* add_service(conf::App process);
  ReleaseCalls calls_of_release(const std::string& service);
  void replace_services();
  void replace_service(Group& service, conf::App next);
  void go_back_to(const Release& kept, ReleaseCalls calls);
  void settle_services();
  void begin_service(Group& service);
  void stop_services();
  void on_service_failed(Group& service) { calls_.on_failed(service); }
  bool have_workers_ended() const;
  std::string_view state_of_services() const;

  // group_release.cpp
  void aim_at(OwnRelease release);
  void roll_to(OwnRelease next, ReleaseCalls calls);
  void judge_release();
  void fall_back(std::string sentence, std::string_view lines);
  bool amend_services(ReleaseCalls calls);
  void prove(ReleaseCalls calls);
  void end_release_unproven();
  void finish_release(const runtime::Result<void>& how);

  // group_sources.cpp
  void watch_sources();
  void on_sources_changed();

  // group_saved.cpp
  Group(Herd& herd, const std::vector<OwnRelease>& releases, const saved::Group& saved, GroupCalls calls, Group* owner);
  void adopt_service(const saved::Group& saved);
  std::vector<ReleaseRef> releases() const;
  void adopt_place(const saved::Place& saved, const std::vector<OwnRelease>& releases);

  /// A release that is on its way.
  struct Rollout {
    OwnRelease from;              // what was in force before
    bool has_to_fall_back = false;  // `from` served when it began
    std::optional<std::size_t> pinned;  // workers that were ordered then
    bool is_of_services = false;  // alone: by amend(), `from` is what is wanted
    std::size_t told = 0;         // workers whose progress has been said
    bool has_reached_services = false;  // its workers are there
    std::string trouble;          // which service did not come up, and why; empty: none
    std::string failure;          // it has been given up, and `from` is put back; empty: it has not
    ReleaseCalls calls;
  };

  /// Somebody hears when what is wanted is ready.
  struct Awaited {
    Whom whom;
    std::size_t told = 0;  // workers whose progress has been said
    ReleaseCalls calls;
  };

  Herd& herd_;
  const upstream::AppIndex index_;
  GroupCalls calls_;
  OwnRelease target_;                 // what is wanted
  OwnRelease before_;                 // what was in force before it; null: nothing
  std::uint32_t last_generation_ = 1; // given out
  std::size_t wanted_ = 0;            // places, unless it is stopped; 0: it sleeps
  bool is_pinned_ = false;            // by scale()
  bool has_chosen_ = false;           // "auto": the log has said how many
  bool is_asleep_ = false;            // no worker has been ready since none was wanted
  upstream::Gate gate_ = upstream::Gate::kOpen;
  std::string notice_;                // while the gate is closed
  runtime::Timer pause_;              // armed while it is paused
  std::vector<Gone> when_gone_;       // who waits until all have left
  runtime::Timer load_;               // the next look at it
  std::uint64_t late_ = 0;            // as the last look found them
  std::uint64_t unspared_ = 0;
  runtime::Time spare_since_{};       // since then one worker fewer would have done
  runtime::Time settled_since_{};     // since then the same workers have been ready
  Places places_;                     // by slot
  std::optional<Rollout> rollout_;
  std::optional<Awaited> awaited_;
  runtime::Timer patience_;           // while awaited_
  upstream::Roster proxies_;          // of a `proxy` app
  std::vector<saved::LeavingProxy> leaving_proxies_;  // unpublished, and not drained yet
  Allowance allowance_;               // exits after ready
  CrashLoop crash_loop_;              // of those
  Backoff too_large_;                 // replaced in a row for they were larger than max_memory at once
  runtime::Time spared_until_{};      // see spared_until()
  runtime::Deferred tend_soon_;       // something has changed
  runtime::Timer tend_later_;         // when time alone may change something
  std::size_t failures_ = 0;          // boots that failed since one was ready
  bool has_been_ready_ = false;       // a worker has, ever
  bool gives_up_ = false;             // by give_up_if_it_fails()
  bool is_wanted_ = false;            // between start() and stop()
  bool is_stopping_ = false;
  std::string last_exit_;
  std::string failure_;  // empty: not given up
  Group* const owner_;   // whose service it is; null: an app
  std::unique_ptr<ServiceRow> service_row_;  // of a service
  std::vector<std::unique_ptr<Group>> services_;
  std::unique_ptr<SourceWatch> sources_;  // where `reload` is set
};

}  // namespace supervisor
