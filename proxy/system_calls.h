// The system calls that a front makes once it serves, as a table with the reason for each, and the filter made of it (seccomp(2),
// by libseccomp, which is met here alone). What is not in the table is refused by EPERM; what no front of ours would ever ask for
// ends it.
#pragma once
#include "runtime/result.h"

namespace proxy {

/// From now on, for every thread. `may_connect`: sockets of IPv4 may be made. Errors: the kernel has no filters, or refuses.
runtime::Result<void> filter_system_calls(bool may_connect);

}  // namespace proxy
