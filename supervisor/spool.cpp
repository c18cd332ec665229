#include "supervisor/spool.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>

namespace supervisor {

runtime::Result<runtime::Fd> open_spool(const std::string& folder) {
  runtime::Fd fd(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (fd) return fd;
  const int why = errno;
  return runtime::fail(
      runtime::Code::kConfig,
      fmt::format("cannot open {} for temporary files: set `spool` in [front] to a folder that the front's user can write to", folder),
      why);
}

}  // namespace supervisor
