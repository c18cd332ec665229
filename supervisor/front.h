// The front as the supervisor sees it: a process that is started with all it needs, told what changes, and
// started again if it ends. What it does inside is proxy/; the orders are upstream/orders.h.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conf/settings.h"
#include "runtime/channel.h"
#include "runtime/loop.h"
#include "supervisor/backoff.h"
#include "supervisor/environment.h"
#include "supervisor/listeners.h"
#include "supervisor/logs.h"
#include "supervisor/privileges.h"
#include "supervisor/reap.h"
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

/// What the front counts in, and what it may read of us.
struct Boards {
  upstream::Scoreboard fronts;
  upstream::HerdBoard herd;
};

/// Who hears of what happens to the front. All are called from the loop.
struct FrontCalls {
  runtime::Call<> on_replay;   ///< a new front wants to know the workers: tell all, now
  runtime::Call<> on_started;  ///< it accepts
  runtime::Call<const upstream::Probed&> on_probed;
  runtime::Call<const upstream::Drained&> on_drained;
  runtime::Call<const upstream::Stuck&> on_stuck;
  runtime::Call<const upstream::Unstuck&> on_unstuck;
  runtime::Call<const upstream::Spent&> on_spent;
  runtime::Call<const upstream::Lost&> on_lost;
  runtime::Call<bool> on_gone;  ///< no other comes; true: it has drained, false: it never started
};

class Front {
 public:
  static constexpr runtime::Milliseconds kFrozenAfter{10'000};
  static constexpr runtime::Milliseconds kStartWithin{30'000};

  /// `settings`, `listeners`, `spool`, `boards` and `account` outlive it. `logs` is read at each start and by
  /// tell_logs(). `account`: who it is, if we are root.
  Front(Reaper& reaper, const conf::Settings& settings, const Listeners& listeners, const LogFiles& logs,
        const runtime::Fd& spool, Boards& boards, const Account& account, FrontProgram program, FrontCalls calls);

  /// Errors: it cannot be forked, a certificate cannot be opened, or https has none.
  runtime::Result<void> start();
  /// Said now; dropped while there is no front (the next one is told everything by on_replay).
  void tell(const upstream::Order& order);
  void tell_logs();
  /// Ends with on_gone. Cut off after drain_timeout and a little.
  void drain();
  /// Everything is cut now.
  void drain_at_once();
  /// Kills it and waits for it; no call comes any more.
  void abandon();

  pid_t pid() const { return child_ ? child_->pid() : 0; }
  /// The last one was killed because it could not do what the settings say (a key that is no key). Only the
  /// first is.
  bool had_trouble() const { return is_condemned_; }

 private:
  runtime::Result<void> spawn_front();
  void let_go();
  runtime::Result<void> say_start();
  void say_logs();
  void tell_spool();
  void send(const upstream::Order& order, std::vector<runtime::Fd> fds = {});
  void on_message(runtime::Message& message);
  void on_channel_closed();
  void on_exited(const Exit& exit);
  void on_start_due();
  void on_deadline();
  void on_beat();
  bool is_frozen();

  Reaper& reaper_;
  runtime::Loop& loop_;
  const conf::Settings& settings_;
  const Listeners& listeners_;
  const LogFiles& logs_;
  const runtime::Fd& spool_;
  Boards& boards_;
  const Account& account_;
  FrontProgram program_;
  FrontCalls calls_;
  std::unique_ptr<Child> child_;               // empty: none runs
  std::unique_ptr<runtime::Channel> channel_;  // to child_
  std::optional<std::size_t> block_;           // of the scoreboard, child_'s
  runtime::Timer start_;                       // the next start
  runtime::Timer deadline_;                    // of starting, or of draining: then it is killed
  runtime::Timer beat_;                        // looks at the heartbeats
  Backoff backoff_;                            // ends before Started
  Allowance allowance_;                        // ends after it
  runtime::Time started_at_{};                 // of the running one's Started
  std::size_t frozen_looks_ = 0;               // in a row
  std::uint64_t version_ = 0;                  // of the last Begin
  bool is_started_ = false;                    // the running one has said Started
  bool was_started_ = false;                   // one has, ever
  bool is_condemned_ = false;                  // killed for its trouble; what it had said before is void
  bool is_draining_ = false;                   // no other one is started
};

}  // namespace supervisor
