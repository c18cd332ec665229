// Starts a process by a plan that was made before the fork. Between fork and exec only what is
// async-signal-safe is called; a failing step tells itself and its errno through a pipe that exec closes. Who
// makes plans: plan.h, front.h.
#pragma once
#include <sys/resource.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/fd.h"
#include "runtime/result.h"
#include "supervisor/privileges.h"

namespace supervisor {

/// A resource and its limits, for setrlimit(2).
struct Bound {
  int resource;
  rlimit limit;
};

/// A descriptor of ours, and its number in the child.
struct Passed {
  int fd;
  int as;
};

struct SpawnPlan {
  std::string program;                   ///< absolute path
  int program_fd = -1;                   ///< instead of the path: an open program, whoever may reach its path
  std::vector<std::string> arguments;    ///< with the program's name as the first
  std::vector<std::string> environment;  ///< "KEY=value"
  std::string directory;                 ///< empty: ours
  std::optional<Account> account;        ///< who to become; empty: nobody else
  std::optional<mode_t> umask;
  std::vector<Passed> fds;        ///< no others, but for 0, /dev/null, and our 1 and 2, unless they are here
  bool wants_listen_pid = false;  ///< adds LISTEN_PID, which only the child can know (sd_listen_fds(3))
  std::optional<rlim_t> descriptors;  ///< its soft limit (RLIMIT_NOFILE), where ours was raised
  std::vector<Bound> bounds;          ///< RLIMIT_NOFILE here wins over `descriptors`
  std::optional<int> nice;            ///< setpriority(2)
  int group = -1;                     ///< `cgroup.procs` of the cgroup that it is to be in, open for writing; -1: ours
  bool may_gain_privileges = true;    ///< false: no_new_privs
  /// kChangeRoot: none but CAP_SYS_CHROOT, which it keeps over the change of user where we have it; and the bounding set is empty where
  /// we may empty it.
  enum class Capabilities { kOfItsUser, kChangeRoot } capabilities = Capabilities::kOfItsUser;
  int death_signal = 0;               ///< what it gets when we die; 0: nothing
};

struct Spawned {
  pid_t pid = 0;
  runtime::Fd pidfd;
  runtime::Fd failure;  ///< for read_failure()
};

/// Returns when the process exists; whether exec succeeded shows later. It leads a session and a group of its
/// own.
runtime::Result<Spawned> spawn(const SpawnPlan& plan);

enum class SpawnStep : int {
  kGroup,
  kDescriptors,
  kSession,
  kUmask,
  kLimits,
  kNice,
  kUser,
  kPrivileges,
  kDeathSignal,
  kDirectory,
  kProgram
};

/// "change to the directory": how it goes on after "cannot".
std::string_view name(SpawnStep step);

struct SpawnFailure {
  SpawnStep step;
  int number;  ///< errno

  /// "cannot start the program: No such file or directory"
  std::string text() const;
};

/// Becomes the program, in this process: with our descriptors and session, whatever the plan says of those. Returns
/// only if that failed.
SpawnFailure become(const SpawnPlan& plan);

/// What the child wrote before it gave up. Nothing: it got as far as exec. Asked once it has ended.
std::optional<SpawnFailure> read_failure(int fd);

}  // namespace supervisor
