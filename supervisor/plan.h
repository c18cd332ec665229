// What a worker is started with: from an app's settings and one worker's seat to a SpawnPlan. How a program
// receives its socket is decided here. Nothing is opened or started: see worker.h for that, spawn.h for the
// fork.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "conf/powers.h"
#include "conf/settings.h"
#include "runtime/result.h"
#include "supervisor/environment.h"
#include "supervisor/privileges.h"
#include "supervisor/spawn.h"

namespace supervisor {

/// How a worker gets its socket (docs/design.md, "Worker sockets").
enum class Handover {
  kListenFds,  ///< descriptor 3, bound and listening; also for `{fd}`
  kPath,       ///< `{socket}`, `$PORTHERD_SOCKET`: a path that the program binds itself
  kPort,       ///< `{port}`, `$PORT`: a port on loopback
};

/// The words `{port}`, `{socket}` and `{fd}` in the command or in a value of `env` decide; without one of
/// them, the variables that a shell's line in the command names.
Handover handover_of(const conf::App& app);

/// Whether the program finds its socket by LISTEN_FDS and LISTEN_PID: none of those words told it.
bool is_told_by_listen_pid(const conf::App& app);

inline constexpr int kSocketFd = 3;  // SD_LISTEN_FDS_START
inline constexpr int kBlobFd = 4;    // what a Python worker runs first
inline constexpr int kStackFd = 5;   // where it prints its stacks

/// What makes a worker that is ready print where it is; one that is not ready yet may die of it. Nothing: there is no
/// such signal.
std::optional<int> stack_signal_of(const conf::App& app);

/// What one process of an app gets for itself. Descriptors are ours, open until the spawn.
struct Seat {
  std::string socket;      ///< path
  std::string notify;      ///< path of its NOTIFY_SOCKET
  std::uint16_t port = 0;  ///< for kPort
  int socket_fd = -1;      ///< for kListenFds
  int blob_fd = -1;        ///< for wsgi and asgi
  int out = -1, err = -1;  ///< its output
  int stack = -1;          ///< for wsgi and asgi: where its stacks go
};

/// `environment`: app_environment(). `account`: who the app runs as. Errors: no such program.
runtime::Result<SpawnPlan> plan_worker(const conf::App& app, const Seat& seat, Variables environment,
                                       const Account& account);

/// The process that the app's workers are forked from. `control`: a Zygote's, for descriptor 3. Of `seat` only `blob_fd` and the
/// output. Errors: as above.
runtime::Result<SpawnPlan> plan_zygote(const conf::App& app, const Seat& seat, int control, Variables environment,
                                       const Account& account);

/// A service of an app, as conf::service_app() has it: no socket. Of `seat` only `notify` and its output. Errors: as above.
runtime::Result<SpawnPlan> plan_service(const conf::App& service, const Seat& seat, Variables environment,
                                        const Account& account);

/// Gives it what the app's settings say that each of its processes may take, as far as `powers` go; and whether it may gain
/// rights.
void bound(SpawnPlan& plan, const conf::App& app, const conf::Powers& powers);

/// A command beside the app's workers, with all that is theirs but a socket and what goes with it. Errors: as above.
runtime::Result<SpawnPlan> plan_one_off(const conf::App& app, std::vector<std::string> command,
                                        const Variables& environment, const Account& account);

}  // namespace supervisor
