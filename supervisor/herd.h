// What all workers of all apps have around them, owned by the supervisor, outliving every group.
#pragma once
#include <cstdint>
#include <set>
#include <string_view>
#include <vector>

#include "conf/powers.h"
#include "runtime/machine.h"
#include "supervisor/cgroups.h"
#include "supervisor/environment.h"
#include "supervisor/front.h"
#include "supervisor/output.h"
#include "supervisor/privileges.h"
#include "supervisor/reap.h"
#include "supervisor/runtime_folder.h"
#include "supervisor/scale.h"
#include "upstream/herd_board.h"
#include "upstream/roster.h"
#include "upstream/scoreboard.h"

namespace supervisor {

/// The workers' rows of both scoreboards.
class Rows {
 public:
  Rows(upstream::Scoreboard& fronts, upstream::HerdFigures& herd) : fronts_(fronts), herd_(herd) {}

  /// A row, all zero. Nothing: kMaxWorkers live.
  std::optional<std::uint32_t> take();
  void give_back(std::uint32_t row);
  /// Rows below were taken at some time.
  std::uint32_t used() const { return unused_; }
  /// As after so many were used and all but those in `taken` were given back.
  void adopt(std::uint32_t used, const std::set<std::uint32_t>& taken);
  upstream::Scoreboard::WorkerTotals operator[](std::uint32_t row) const { return fronts_.worker(row); }

 private:
  upstream::Scoreboard& fronts_;
  upstream::HerdFigures& herd_;
  std::vector<std::uint32_t> free_;  // given back
  std::uint32_t unused_ = 0;         // rows from here on were never taken
};

/// A service's row of our own scoreboard, for as long as this lives.
class ServiceRow {
 public:
  /// `name`: of its process, "shop.queue". `is_taken`: the program before us had one for it, which is this one's.
  ServiceRow(upstream::HerdFigures& herd, std::string_view name, bool is_taken);
  ~ServiceRow();
  ServiceRow(const ServiceRow&) = delete;
  ServiceRow& operator=(const ServiceRow&) = delete;

  upstream::AppHerd& figures() const { return row_.figures; }

 private:
  upstream::ServiceHerd& row_;
};

struct Herd {
  Reaper& reaper;
  Front& front;
  const RuntimeFolder& folder;
  OutputSink& output;
  Rows rows;
  const upstream::Scoreboard& fronts;
  upstream::HerdFigures& figures;  ///< our own scoreboard
  scale::Promises promised = {};   ///< each app notes its own
  const Account& front_account;
  bool is_run = false;             ///< `run`: own environment handed on, output as it is
  Variables own;                   ///< our environment
  rlim_t descriptors = 1024;       ///< the soft limit that we were started with, for workers
  conf::Powers powers;             ///< what we may give to workers
  const runtime::Fd& python;       ///< what a Python worker runs first; empty: no app is one
  Cgroups& cgroups;
  upstream::WorkerId last_id = 0;  ///< of the workers started so far
  runtime::OomKills explained_kills = {};  ///< see exit.h: what their deaths have been explained by
};

/// Sealed, so that no worker can change what the next one runs.
runtime::Result<runtime::Fd> python_in_memory();

}  // namespace supervisor
