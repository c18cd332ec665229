// The system calls that a front makes once it serves, as a table with the reason for each, and the filter made of it (seccomp(2),
// by libseccomp, which is met here alone). What is not in the table is refused by EPERM; what no front of ours would ever ask for
// ends it.
#pragma once
#include "runtime/result.h"

namespace proxy {

/// AddressSanitizer or ThreadSanitizer is in this program, and does things of its own.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kIsSanitized = true;
#else
inline constexpr bool kIsSanitized = false;
#endif

/// From now on, for every thread. `has_ports`: sockets of IPv4 may be made. Errors: the kernel has no filters, or refuses.
runtime::Result<void> filter_system_calls(bool has_ports);

}  // namespace proxy
