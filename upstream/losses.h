// The requests that a worker was given and did not answer, for a moment: the end of its connections comes before the word that
// it has died, and then it is asked what it had in flight. Pure.
#pragma once
#include <algorithm>
#include <cstddef>
#include <deque>
#include <vector>

#include "runtime/clock.h"

namespace upstream {

class Losses {
 public:
  /// `most`: the worker's slots, more it cannot have had at the same time; the oldest loss gives way.
  void add(runtime::Time dispatched, runtime::Time lost, std::size_t most) {
    if (last_.size() >= most) last_.pop_front();
    last_.push_back({dispatched, lost});
  }
  /// When those were dispatched that were lost at `then` or later.
  std::vector<runtime::Time> dispatched(runtime::Time then) const {
    std::vector<runtime::Time> times;
    for (const One& one : last_) {
      if (one.lost >= then) times.push_back(one.dispatched);
    }
    return times;
  }

 private:
  struct One {
    runtime::Time dispatched, lost;
  };
  std::deque<One> last_;
};

}  // namespace upstream
