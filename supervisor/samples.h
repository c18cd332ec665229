// What the supervisor looks at again and again: each app's counters once a second, for its rates; as often the
// memory of workers that may not have more than max_memory; the memory of all every few seconds, for the
// scoreboard. One for a supervisor.
#pragma once
#include <memory>
#include <vector>

#include "runtime/loop.h"
#include "supervisor/front.h"
#include "supervisor/group.h"
#include "supervisor/rates.h"

namespace supervisor {

class Samples {
 public:
  /// `groups`, of which there will be `apps`, and `boards` outlive it.
  Samples(runtime::Loop& loop, std::size_t apps, const std::vector<std::unique_ptr<Group>>& groups,
          Boards& boards);

  /// From now on.
  void begin() { look(); }
  const Rates& rates(upstream::AppIndex app) const { return rates_[app]; }

 private:
  void look();
  void look_at_limits();
  void look_at_memory();

  runtime::Loop& loop_;
  const std::vector<std::unique_ptr<Group>>& groups_;
  Boards& boards_;
  std::vector<Rates> rates_;  // by app
  std::uint64_t looks_ = 0;
  runtime::Timer next_;
};

}  // namespace supervisor
