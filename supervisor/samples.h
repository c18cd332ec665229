// What the supervisor looks at again and again: each app's counters once a second, for its rates; as often the
// memory of workers that may not have more than max_memory; the memory of all every few seconds, for the
// scoreboard. One for a supervisor.
#pragma once
#include <map>
#include <memory>
#include <vector>

#include "runtime/loop.h"
#include "supervisor/front.h"
#include "supervisor/group.h"
#include "supervisor/rates.h"

namespace supervisor {

class Samples {
 public:
  /// `groups`, however many there are by then, and `boards` outlive it.
  Samples(runtime::Loop& loop, const std::vector<std::unique_ptr<Group>>& groups,
          Boards& boards);

  /// From now on.
  void begin() { look(); }
  Rates rates(upstream::AppIndex app) const;

 private:
  void look();
  void look_at_rates();
  void look_at_limits();
  void look_at_memory();

  runtime::Loop& loop_;
  const std::vector<std::unique_ptr<Group>>& groups_;
  Boards& boards_;
  std::map<upstream::AppIndex, Rates> rates_;  // of those that have a group
  std::uint64_t looks_ = 0;
  runtime::Timer next_;
};

}  // namespace supervisor
