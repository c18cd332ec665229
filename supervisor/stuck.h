// The exchanges that a worker does not let go of, as the front tells them (upstream::Stuck), and where the
// worker is with them: it is asked for its stack, once for all that come together. What follows from it:
// retire.h.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conf/settings.h"
#include "supervisor/front.h"
#include "supervisor/reap.h"
#include "supervisor/saved.h"
#include "supervisor/stack_pipe.h"
#include "upstream/roster.h"

namespace supervisor {

/// Of one process, which has been ready: only then it knows the signal.
class StuckExchanges {
 public:
  /// A worker is asked at most once in so long; who comes in between has the same stack.
  static constexpr runtime::Milliseconds kSameStack{1000};

  /// `stacks`: our end of a StackPipe; empty: its stacks go where it likes. All others outlive it.
  StuckExchanges(Front& front, const conf::App& app, const upstream::Worker& about, Child& child,
                 runtime::Loop& loop, runtime::Fd stacks);

  void add(const std::string& exchange);
  void remove(const std::string& exchange);
  /// The worker has ended: what it has told by now is all.
  void finish();

  /// Of the one that has been stuck for longest. Empty: none is.
  std::optional<runtime::Time> since() const;

  std::vector<saved::StuckExchange> save() const;
  saved::Descriptor save_stacks() const { return {pipe_ ? pipe_->fd() : -1}; }
  /// Nobody is asked about them again.
  void adopt(const std::vector<saved::StuckExchange>& saved);

 private:
  struct Exchange {
    std::string id;
    runtime::Time since;
  };
  void ask();
  void on_stack(const std::string& text);
  void answer();

  Front& front_;
  const conf::App& app_;
  const upstream::Worker& about_;
  Child& child_;
  runtime::Loop& loop_;
  std::vector<Exchange> stuck_;          // in the order of time; at most one for each slot
  std::vector<std::string> unanswered_;  // whose stack has not been told
  std::string stack_;                    // the last one that came
  runtime::Time next_ask_{};             // until then stack_ is the answer
  std::unique_ptr<StackPipe> pipe_;      // empty: nothing is read
};

}  // namespace supervisor
