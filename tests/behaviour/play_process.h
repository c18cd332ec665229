// How the actors start processes, wait for them, and see that none is left. Not for tests themselves: see
// play.h.
#pragma once
#include <sys/types.h>

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "play.h"

namespace play {

struct Pipe {
  Pipe();
  runtime::Fd reading, writing;
};

/// Starts a program found on PATH. It is told to end if this process does.
pid_t start(const Arguments&, const std::string& directory, const Environment& more, int out, int err);

/// Waits for a child of ours. Its exit status, or -signal.
int wait_for(pid_t);
/// The same, if it has ended already.
bool has_ended(pid_t, int& status);

/// Waits until a process, whoever's child, has ended. False if that did not come in time.
bool ends(pid_t);

/// Reads each to its end. False if that did not come in time.
bool drain(const std::vector<std::pair<int, std::string*>>&, milliseconds);

/// Whoever lost its parent below us is our child now (PR_SET_CHILD_SUBREAPER). Fails for each that still runs
/// and that start() did not start, and kills it.
void check_nobody_left(const std::string& after_what);

}  // namespace play
