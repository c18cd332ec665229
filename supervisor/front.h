// The front as the rest of the supervisor sees it: one that never ends. Behind it: the process that serves, started
// again if it ends (front_process.h); one that is to take its place; and those that were replaced and drain. Groups need
// not know how many there are: each order goes to all, and an answer is passed on when it holds for all.
#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "runtime/loop.h"
#include "supervisor/backoff.h"
#include "supervisor/front_process.h"
#include "supervisor/known.h"

namespace supervisor {

/// Who hears of what happens to the front. All are called from the loop.
struct FrontCalls {
  runtime::Call<> on_started;  ///< one accepts: the first, or another
  runtime::Call<const upstream::Probed&> on_probed;
  /// No front has a request for it any more; those that have ended cannot.
  runtime::Call<const upstream::Drained&> on_drained;
  runtime::Call<const upstream::Stuck&> on_stuck;
  runtime::Call<const upstream::Unstuck&> on_unstuck;  ///< also when the front that had said Stuck has ended
  runtime::Call<const upstream::Spent&> on_spent;
  runtime::Call<const upstream::Lost&> on_lost;
  runtime::Call<const upstream::Wanted&> on_wanted;
  runtime::Call<bool> on_gone;  ///< no other comes; true: all have drained, false: the first never started
};

class Front {
 public:
  /// That drain beside the one that serves. With one more the oldest is cut.
  static constexpr std::size_t kMostDraining = 2;
  static_assert(kMostDraining + 2 <= upstream::kMaxFronts);

  /// What `ground` refers to is read at each start.
  Front(FrontGround ground, FrontCalls calls);

  /// The first one. Errors: see FrontProcess::start.
  runtime::Result<void> start();
  /// Starts another beside the one that serves, with the settings as they are now. When it accepts the old one drains.
  /// Both have the same listening sockets, so whoever is in a backlog is accepted by one of them. Then, or when it
  /// has failed and the old one serves on as if nothing had been, `on_replaced` is called, once, from the loop.
  /// Errors, without a call: it cannot be started, or this is no time for it.
  using OnReplaced = std::function<void(runtime::Result<void>)>;
  runtime::Result<void> replace(OnReplaced on_replaced);

  /// Errors: this is no moment to hand the fronts on to another program, and why.
  runtime::Result<void> may_be_saved() const;
  saved::Front save() const;
  /// In the place of start().
  void adopt(const saved::Front& saved);

  /// The one that serves is to go by this from now on, without an end of anything. `on_changed` is called, once, from the
  /// loop: it does, or an error, and it goes on as before. Whatever `change` refers to has to be there until then, and what the
  /// ground refers to from then on. Who drains is told just before, if it does. Errors, without a call: there is nobody to tell, another change or front is under way, or
  /// see FrontProcess::change.
  using OnChanged = std::function<void(runtime::Result<void>)>;
  runtime::Result<void> change(const FrontChange& change, OnChanged on_changed);

  /// `on_obeyed` is called, once, from the loop, when the one that serves, or is about to, has obeyed all that it was told
  /// until now, or one that has taken over from it has; or it has ended, and the next one begins with that. Errors, without
  /// a call: there is none.
  runtime::Result<void> confirm(OnChanged on_obeyed);

  /// change() and replace() would not be refused now.
  bool is_settled() const { return may_change().has_value(); }
  /// `then` is called, once, from the loop, when it is settled: who came first, first, and the next one when what that has begun
  /// is over. Or when a front has had all its time to start, or everything is ending; then they say what is the matter.
  void when_settled(std::function<void()> then);
  /// For who waits for that.
  static constexpr std::string_view kWaits = "a front is being started or changed just now; this waits until that is done";

  /// To all that live, and what it comes to to each that is started later. A Probe is only for the one that serves.
  void tell(const upstream::Order& order);
  void tell_logs();
  /// The app is no more; its index may be given to another one.
  void forget(upstream::AppIndex app) { known_.forget(app); }

  /// All end, then on_gone comes. Cut off after drain_timeout and a little.
  void drain();
  /// Everything is cut now.
  void drain_at_once();
  /// Kills all and waits for them; no call comes any more.
  void abandon();

  /// That hear tell().
  std::size_t count() const { return living().size(); }
  /// Whether this is one of them, serving or draining or about to.
  bool is_one(pid_t pid) const;
  /// Of the one that serves; 0: none.
  pid_t pid() const { return current_ ? current_->pid() : 0; }
  /// What that one has said when it accepted; null: none serves, or it said so to the program before us.
  const upstream::Started* said() const { return current_ && current_->said().threads != 0 ? &current_->said() : nullptr; }
  /// When the thread of it that has not turned its loop for longest last did; nothing: none serves.
  std::optional<runtime::Time> last_turn() const {
    return current_ && current_->is_started() ? std::optional(current_->last_turn()) : std::nullopt;
  }
  /// The first one was killed because it could not do what the settings say (a key that is no key).
  bool had_trouble() const { return had_trouble_; }

 private:
  using Process = std::unique_ptr<FrontProcess>;
  FrontProcessCalls process_calls();
  runtime::Result<void> may_change() const;
  runtime::Result<Process> start_one(bool is_strict, bool is_to_probe);
  std::vector<FrontProcess*> living() const;
  Process take(FrontProcess& process);
  void tell_probes();

  void on_started(FrontProcess& process);
  void tell_what_is_missing(const std::string& unfenced);
  void hand_over();
  void on_word(FrontProcess& process, const upstream::Order& order);
  void settle();
  void on_ended(FrontProcess& process);
  void on_current_ended(const FrontProcess& ended);
  void on_start_due();
  void end_replacing(runtime::Result<void> how);
  void on_changed(const FrontProcess& process, const upstream::Changed& changed);
  void end_changing(runtime::Result<void> how);
  void ask_again();
  void end_obeying();
  void look_who_waits();
  void on_patience_over();

  const FrontGround ground_;
  runtime::Loop& loop_;
  FrontCalls calls_;
  Process current_;                // serves, or is about to; empty: start_ is armed, or it is over
  Process next_;                   // is to take its place
  std::vector<Process> draining_;  // have been replaced, the oldest first
  OnReplaced on_replaced_;         // of next_, or of current_ if the one before it has ended; empty: none is awaited
  OnChanged on_changed_;           // of the change that current_ was told last; empty: none is awaited
  std::optional<FrontChange> change_;  // that one, while it is awaited
  std::uint64_t version_ = 0;      // of that change
  std::map<std::uint64_t, OnChanged> obeying_;  // who waits for current_ to have obeyed, by the version that says so
  Known known_;
  std::map<upstream::WorkerId, upstream::AppIndex> leaving_;  // unpublished; Drained is due
  runtime::Deferred settle_;       // looks who of leaving_ has drained
  runtime::Timer start_;           // the next start
  Backoff backoff_;                // ends before Started
  Allowance allowance_;            // ends after it
  std::deque<std::function<void()>> waiting_;  // see when_settled()
  runtime::Deferred look_who_waits_;
  runtime::Timer patience_;        // of the one that came last; armed while some wait
  std::string unfenced_;           // what a front has said last that its fence lacks
  bool was_started_ = false;       // one has, ever
  bool had_trouble_ = false;
  bool is_draining_ = false;       // no other one is started
};

}  // namespace supervisor
