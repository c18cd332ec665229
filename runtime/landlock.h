// What of the file system and the network this process may still open, by Landlock (landlock(7)): files by folders, TCP not at
// all or by connecting alone, and signals and abstract sockets only among ourselves. What is open already stays usable, and to
// connect to a Unix socket by its path is not Landlock's affair. Holds for the calling thread and those it makes: begin with it.
#pragma once
#include <vector>

#include "runtime/fd.h"
#include "runtime/result.h"

namespace runtime {

/// A folder, and all below it.
struct Land {
  enum class Use { kRead, kWrite };  ///< kWrite: files may be made, read and removed, but folders not listed
  Fd folder;                         ///< O_PATH will do
  Use use = Use::kRead;
};

/// The version of the kernel's Landlock; 0: it has none, or it is switched off.
int landlock_version();

/// Nothing else can be opened from now on. `may_connect`: TCP connections may be made (before version 4 they always can).
/// Errors: the kernel refuses, which it does also where no_new_privs is not set.
Result<void> enter_landlock(const std::vector<Land>& lands, bool may_connect);

}  // namespace runtime
