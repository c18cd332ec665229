// One process of the front: started with all it needs, told what changes, watched, drained, and its end. Which of
// them serves, and what follows from an end: front.h. What it does inside is proxy/; the orders are
// upstream/orders.h.
#pragma once
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "conf/settings.h"
#include "runtime/channel.h"
#include "runtime/loop.h"
#include "supervisor/fence.h"
#include "supervisor/listeners.h"
#include "supervisor/logs.h"
#include "supervisor/privileges.h"
#include "supervisor/reap.h"
#include "supervisor/saved.h"
#include "upstream/herd_board.h"
#include "upstream/orders.h"
#include "upstream/scoreboard.h"

namespace supervisor {

/// How our own program becomes the front.
struct FrontProgram {
  std::string path;  ///< for its argv
  int fd = -1;       ///< the open program: the same one as ours whatever lies at `path` by now
  std::vector<std::string> arguments;  ///< {"front", "3", "4", "5"}
};

/// What the fronts count in, and what they may read of us.
struct Boards {
  upstream::Scoreboard fronts;
  upstream::HerdBoard herd;
};

/// What a front is told that changes; at its start that is everything.
struct FrontChange {
  const conf::Settings& settings;
  const std::vector<upstream::AppIndex>& apps;  ///< of each app of the settings, in their order
  const Listeners& listeners;                   ///< all there are then
  ListenChange addresses;
  const LogFiles& logs;
};

/// What each front is started with, as it is by then. All that is referred to outlives it.
struct FrontGround {
  Reaper& reaper;
  const conf::Settings& settings;
  const std::vector<upstream::AppIndex>& apps;  ///< of each app of the settings, in their order
  const Listeners& listeners;
  const LogFiles& logs;
  const runtime::Fd& spool;
  const Fence& fence;
  const std::string& folder;  ///< where the sockets of workers are; a front stands in it
  Boards& boards;
  const Account& account;  ///< who it is, if we are root
  FrontProgram program;
};

class FrontProcess;

/// Called from the loop.
struct FrontProcessCalls {
  runtime::Call<FrontProcess&> on_started;  ///< it accepts
  /// Changed, Probed, Drained, Stuck, Unstuck, Spent or Lost; Drained only for what was unpublished, and Lost for who
  /// ended unexpectedly, each once.
  runtime::Call<FrontProcess&, const upstream::Order&> on_word;
  runtime::Call<FrontProcess&> on_ended;    ///< the last call: to be buried
};

class FrontProcess {
 public:
  static constexpr runtime::Milliseconds kFrozenAfter{10'000};
  static constexpr runtime::Milliseconds kStartWithin{30'000};

  /// `known`: orders that it is to have heard before it accepts. `is_strict`: killed if it cannot do what the
  /// settings say (a key that is no key) before it has started; else half a front is better than none.
  /// Errors: it cannot be forked, a certificate cannot be opened, or https has none.
  static runtime::Result<std::unique_ptr<FrontProcess>> start(const FrontGround& ground,
                                                              const std::vector<upstream::Order>& known,
                                                              bool is_strict, FrontProcessCalls calls);
  /// One that serves, or drains.
  static std::unique_ptr<FrontProcess> adopt(const FrontGround& ground, const saved::FrontProcess& saved,
                                             FrontProcessCalls calls);
  saved::FrontProcess save() const;
  /// Kills it and waits for it.
  ~FrontProcess();

  void tell(const upstream::Order& order);
  void tell_logs();
  /// The version that Changed will name. Errors, and it is told nothing: a certificate cannot be opened, or https has none.
  runtime::Result<std::uint64_t> change(const FrontChange& change);
  /// Nothing more changes; the version that Changed will name when all that it was told before has been obeyed.
  std::uint64_t confirm();
  /// It accepts no more, finishes what is in flight and ends. Cut off after drain_timeout and a little.
  void drain();
  /// Everything is cut now.
  void drain_at_once();

  pid_t pid() const { return pid_; }
  bool is_started() const { return is_started_; }
  /// What it has said when it accepted, of its fence too; of one that was adopted nothing is known.
  const upstream::Started& said() const { return said_; }
  /// When the thread that has not turned its loop for longest last did, or, of one that has begun since, when it accepted.
  runtime::Time last_turn() const;
  /// It lives, and has taken all that it was told.
  bool is_listening() const { return child_ && channel_->is_flushed(); }
  /// What it was killed for. Empty: nothing.
  const std::string& trouble() const { return trouble_; }
  /// How it has ended.
  const std::string& cause() const { return cause_; }
  /// It has not said Drained for this worker, which was unpublished.
  bool owes(upstream::WorkerId worker) const { return owed_.contains(worker); }
  /// What would undo all that it has said is stuck.
  const std::vector<upstream::Unstuck>& stuck() const { return stuck_; }
  /// The answers that it owes to who ended unexpectedly, as they are if it can give none any more: what it had in flight has ended
  /// with it, not with the worker.
  const std::vector<upstream::Lost>& unanswered() const { return unanswered_; }

 private:
  FrontProcess(const FrontGround& ground, bool is_strict, FrontProcessCalls calls);
  runtime::Result<void> spawn_it();
  void watch(runtime::Fd channel);
  runtime::Result<void> say_start(const std::vector<upstream::Order>& known);
  runtime::Result<void> say(const FrontChange& change);
  void let_go();
  void say_logs(const LogFiles& logs);
  void tell_spool();
  runtime::Result<void> tell_fence();
  void send(const upstream::Order& order, std::vector<runtime::Fd> fds = {});
  void on_message(runtime::Message& message);
  void on_started(const upstream::Started& started);
  void on_trouble(const upstream::Trouble& trouble);
  bool note(const upstream::Order& order);
  void on_channel_closed();
  void on_exited(const Exit& exit);
  void on_deadline();
  void on_beat();

  const FrontGround& ground_;
  runtime::Loop& loop_;
  const bool is_strict_;
  FrontProcessCalls calls_;
  std::unique_ptr<Child> child_;               // empty: it has ended
  std::unique_ptr<runtime::Channel> channel_;  // to child_
  std::optional<std::size_t> block_;           // of the scoreboard, until it has ended
  pid_t pid_ = 0;
  runtime::Timer deadline_;                    // of starting, or of draining: then it is killed
  runtime::Timer beat_;                        // looks at the heartbeats
  runtime::Time started_at_{};                 // Started was said
  upstream::Started said_;                     // that
  std::size_t frozen_looks_ = 0;               // in a row
  std::uint64_t version_ = 0;                  // of the last Begin
  std::set<upstream::WorkerId> owed_;          // see owes()
  std::vector<upstream::Unstuck> stuck_;       // see stuck(); at most kMostStuck
  std::vector<upstream::Lost> unanswered_;     // see unanswered()
  std::string trouble_, cause_;
  bool is_started_ = false;
  bool is_condemned_ = false;                  // killed for its trouble: what it says is void
  bool is_draining_ = false;
  bool is_cut_ = false;                        // drain_at_once() was said
  bool stands_in_folder_ = true;               // not so one that a program of before has started
};

}  // namespace supervisor
