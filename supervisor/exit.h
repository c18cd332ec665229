// How a process ended, in words for people and in one for machines. Pure. Who collects it: reap.h.
#pragma once
#include <string>

#include "runtime/machine.h"
#include "upstream/herd_board.h"

namespace supervisor {

/// From waitid(2).
struct Exit {
  bool is_signal = false;
  int number = 0;  ///< exit status, or the signal
  bool operator==(const Exit&) const = default;
};

/// What is known around an exit; together it tells who sent a signal, by elimination.
struct ExitFacts {
  int sent_by_us = 0;             ///< the last signal that we sent it, or 0
  int asked_by_us = 0;            ///< the first: by that it may have died when the last one came
  bool cgroup_oom_rose = false;   ///< the OOM counter of our cgroup rose since it was started, and nobody else's death explains that
  bool machine_oom_rose = false;  ///< the machine's did
  bool was_timeout = false;       ///< we killed it because a clock ran out
};

/// The kills of the OOM killer are counted, not named, and for everybody who lives then: each of them explains one death. Those
/// of `now` that are later than `before`, less those that deaths have been `explained` by. All are what was counted by then.
runtime::OomKills unexplained(const runtime::OomKills& now, const runtime::OomKills& before, const runtime::OomKills& explained);
/// What is explained when there is one death more, of somebody who has lived since `before` until `now`.
runtime::OomKills with_one_more(const runtime::OomKills& explained, const runtime::OomKills& before, const runtime::OomKills& now);

/// "exit status 3", "killed by us (SIGKILL)", "out of memory (SIGKILL)", "probably out of memory (SIGKILL)",
/// "crashed (SIGSEGV)", "killed from outside (SIGTERM)".
std::string describe(const Exit&, const ExitFacts&);

/// The same as one of a few words: the label of `portherd_worker_exits_total`.
upstream::ExitReason reason_of(const Exit&, const ExitFacts&);

/// "SIGTERM"; "signal 42" where there is no name.
std::string signal_name(int number);

}  // namespace supervisor
