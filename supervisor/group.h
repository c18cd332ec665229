// All workers of one app: how many are wanted, when the next start is due, and what the app's state is. One
// worker's life is worker.h. The rules: docs/design.md, "Worker life".
//
// group.cpp fills the places; group_replace.cpp replaces who serves in one of them, make-before-break.
#pragma once
#include <memory>
#include <string_view>
#include <vector>

#include "conf/settings.h"
#include "supervisor/backoff.h"
#include "supervisor/herd.h"
#include "supervisor/retire.h"
#include "supervisor/worker.h"
#include "upstream/roster.h"

namespace supervisor {

struct GroupCalls {
  runtime::Call<> on_stopped;       ///< after stop(): no process is left
  runtime::Call<Group&> on_failed;  ///< the first generation of `run` gives up
};

class Group {
 public:
  Group(Herd& herd, const conf::App& app, Account account, upstream::AppIndex index, GroupCalls calls);

  void start();
  /// Everybody leaves, the last one first. The front has ended, so nobody is busy. It may be done when it
  /// returns: ask is_stopped(); else on_stopped comes.
  void stop();
  void kill_now();
  /// A new front: everything it must know of this app.
  void replay();

  void on_probed(const upstream::Probed& answer);
  void on_drained(const upstream::Drained& answer);
  void on_stuck(const upstream::Stuck& told);
  void on_unstuck(const upstream::Unstuck& told);

  /// Another worker is started for the place of this one, which goes when that is ready, and serves on if it
  /// never is. One at a time: while another is being replaced nothing happens, and all are asked again
  /// (Worker::look) after it.
  void replace(Worker& worker, retire::Why why);

  // From its workers.
  void on_changed(Worker& worker, State from);
  void on_boot_failed();
  void on_exited(const Worker& worker, upstream::ExitReason reason);
  void on_failed(Worker& worker);
  /// How long its place stays empty after an exit.
  runtime::Milliseconds wait_before_next(Worker& worker);
  /// Consecutive failed boots, this one included.
  std::size_t failures() const { return failures_; }
  /// In full, that is. What makes `run` give up is told by the supervisor.
  bool is_worth_saying_now() const { return is_worth_saying(failures_) && !may_give_up(); }

  const conf::App& app() const { return app_; }
  upstream::AppIndex index() const { return index_; }
  /// By place: those that count.
  const std::vector<std::unique_ptr<Worker>>& workers() const { return workers_; }
  /// One more than those, while a worker is being replaced: who is to come, and then who has to go. Or null.
  const Worker* extra() const { return extra_.get(); }
  /// By place, the extra one last.
  std::vector<Worker*> all() const;
  /// Workers that somebody else supervises.
  const upstream::Roster& proxies() const { return proxies_; }
  bool is_stopping() const { return is_stopping_; }
  bool is_stopped() const;
  bool is_all_ready() const;
  /// "starting", "ready", "degraded" (some are not ready), "failing" (all are waiting for the next try),
  /// "failed", "stopping".
  std::string_view state() const;
  /// How often a worker was started in the place of one that had ended, or had to.
  std::uint64_t restarts() const { return figures().restarts; }
  /// Which worker was the last to end without an order, and why; empty: none has.
  const std::string& last_exit() const { return last_exit_; }
  /// Why its first generation has failed.
  const std::string& failure() const { return failure_; }

 private:
  void tend();
  void tend_one(Worker& worker);
  void show();
  upstream::AppHerd& figures() const { return herd_.figures.app[index_]; }
  void fill_proxies();
  bool may_give_up() const { return herd_.is_run && !has_been_ready_ && !is_stopping_; }
  Worker* find(upstream::WorkerId id) const;
  bool is_another_being_tried(const Worker& worker) const;
  void on_idle(Worker& worker, State from);

  bool is_successor(const Worker& worker) const { return replaced_ != nullptr && &worker == extra_.get(); }
  void hand_over();
  void dismiss_extra();
  void on_replaced_ended();
  void on_extra_gone();

  Herd& herd_;
  const conf::App& app_;
  const Account account_;
  const upstream::AppIndex index_;
  GroupCalls calls_;
  std::vector<std::unique_ptr<Worker>> workers_;  // by slot; as many as are wanted
  std::unique_ptr<Worker> extra_;                 // see extra()
  Worker* replaced_ = nullptr;                    // of workers_, ready: extra_ is to have its place; null: it is not
  upstream::Roster proxies_;                      // of a `proxy` app
  Allowance allowance_;                           // exits after ready
  runtime::Timer tend_;                           // the next place to be filled is due
  std::size_t failures_ = 0;                      // boots that failed since one was ready
  bool has_been_ready_ = false;                   // a worker has, ever
  bool is_wanted_ = false;                        // between start() and stop()
  bool is_stopping_ = false;
  std::string last_exit_;
  std::string failure_;  // empty: not given up
};

}  // namespace supervisor
