// A command that starts the program which serves as a child of its own, as `npm start` and some lines of `sh -c` do.
// LISTEN_PID names the command then, and not that program, which takes no socket that is not meant for it
// (sd_listen_fds(3)) and so never answers. Here that is noticed, for the cause of a boot that took too long.
#pragma once
#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace supervisor {

struct Running {
  pid_t pid = 0;
  std::string name;  ///< as in /proc/PID/comm: 15 bytes at most
};

/// Nothing: it has gone.
std::optional<Running> running(pid_t pid);

/// Its first child, or the first child of that, and so on: who is last, at most 16 steps from it. The process itself, if
/// it has no child. Reads /proc, which a process may change meanwhile.
pid_t last_of_line(pid_t pid);

/// "; sh has started node (pid 812), which LISTEN_PID does not name: ..." for the end of a cause. Empty where `last` is the
/// command itself, or one more process of the same program.
std::string told_of_wrapper(const Running& command, const Running& last);

/// The same of a worker's process, as it is now.
std::string told_of_wrapper(pid_t command);

/// The same where no wrapper is to blame: the program may listen at a port of its own. Empty where it has answered. `probe`: what
/// came of the last probe (upstream/probe.h); empty: nothing yet.
std::string told_of_port(std::string_view probe);

}  // namespace supervisor
