// What the settings name and the supervisor has opened for them, and what else is fixed before the first process exists.
// A reload (reload.h) puts another ground in its place; each front that starts is told what stands here.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "conf/load.h"
#include "conf/settings.h"
#include "runtime/fd.h"
#include "runtime/result.h"
#include "supervisor/fence.h"
#include "supervisor/front_process.h"
#include "supervisor/listeners.h"
#include "supervisor/logs.h"
#include "supervisor/privileges.h"
#include "supervisor/runtime_folder.h"

namespace supervisor {

using Reread = std::function<runtime::Result<conf::Loaded>()>;

struct Options {
  bool is_run = false;  ///< `run`: own environment, output as it is, gives up if the first boot fails
  FrontProgram front;
  runtime::Fd self;     ///< the open program, as in `front`
  std::string program;  ///< where `upgrade` looks for the next one
  std::vector<runtime::Fd> adopted;  ///< listening sockets from LISTEN_FDS
  /// Reads the settings again, from where they came. Empty: they came from no file.
  Reread load;
};

/// What a reload may change.
struct Ground {
  conf::Settings settings;
  std::vector<upstream::AppIndex> apps;  ///< of each app of the settings, in their order
  std::vector<Account> accounts;         ///< who each of them is
  Listeners listeners;
  LogFiles logs;
  runtime::Fd spool;
  Fence fence;  ///< of the fronts that start on it
  Account front_account;
  runtime::Fd python;  ///< what a Python worker runs first; empty: no app is one
};

/// What cannot be decided anew while we run: how many sockets an address has depends on front.threads, and every front must
/// agree.
void fix_threads(conf::Front& front);

/// Everything that can be refused without starting anything: accounts, addresses, logs, spool. `apps`: the indexes. `before`:
/// what stands now, of which what the settings still name is kept, by descriptors of our own; null: nothing, and what is
/// `adopted` is taken.
runtime::Result<Ground> prepare_ground(conf::Settings settings, std::vector<upstream::AppIndex> apps, const Ground* before,
                                       std::vector<runtime::Fd> adopted);

}  // namespace supervisor
