// One program executes another in its own place: same pid, so the children stay its children, and every
// descriptor that is handed on stays open under its number. What is handed on is saved.h; it lies in memory
// (memfd_create(2)), and the environment says where. Who decides that it happens: upgrade.h.
#pragma once
#include <optional>
#include <string>

#include "runtime/fd.h"
#include "runtime/result.h"
#include "supervisor/saved.h"

namespace supervisor {

/// What a program finds that was executed in the place of another.
struct Handed {
  runtime::Fd memory;
  std::string refused;  ///< it is the one before again, for the next one could not go on, and this is why; else empty
};

/// Somebody has executed us in the place of another program.
bool is_handed_over();
/// What was handed over. Once: the environment says no longer where. Errors: there is nothing.
runtime::Result<Handed> take_handed();
runtime::Result<std::string> read_all(const runtime::Fd& memory);
runtime::Result<runtime::Fd> in_memory(const std::string& text);

/// The program at `path` in our place, with our arguments. `notify`: the NOTIFY_SOCKET that it shall have. Signals
/// are held. Returns only if that fails, and then nothing has changed.
runtime::Error hand_over(const std::string& path, const saved::Supervisor& all, const std::string& notify);
/// Back to the program that handed over to us, which can go on with what it handed on. `why`: for its caller.
runtime::Error hand_back(const saved::Program& program, const runtime::Fd& memory, const std::string& why);

}  // namespace supervisor
