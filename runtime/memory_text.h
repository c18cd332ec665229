// A text for another process: in memory (memfd_create(2)), sealed, so that nobody changes it on the way or later.
#pragma once
#include <string>
#include <string_view>

#include "runtime/bytes.h"
#include "runtime/fd.h"
#include "runtime/result.h"

namespace runtime {

/// Close-on-exec. `name` is for those who look at /proc/PID/fd. Errors: kSystem.
Result<Fd> to_memory(const char* name, std::string_view text);

/// All of it, wherever the descriptor stands. Errors: kProtocol it is longer than `most`, kSystem it cannot be read.
Result<std::string> from_memory(int fd, Bytes most);

}  // namespace runtime
