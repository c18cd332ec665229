#include "supervisor/commands/supervise.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "supervisor/commands/complain.h"
#include "supervisor/supervisor.h"

namespace supervisor {
namespace {

constexpr const char* kSelf = "/proc/self/exe";

// A descriptor that we open must never be taken for stderr.
void fill_standard_descriptors() {
  for (int fd = ::open("/dev/null", O_RDWR); fd >= 0; fd = ::open("/dev/null", O_RDWR)) {
    if (fd <= STDERR_FILENO) continue;
    ::close(fd);
    return;
  }
}

}  // namespace

int supervise(conf::Settings settings, bool is_run, Reread load) {
  fill_standard_descriptors();
  std::error_code error;
  const std::string path = std::filesystem::read_symlink(kSelf, error).string();
  // Open as long as we live: the front is always of our own version, and its user need not reach our path.
  const runtime::Fd program(::open(kSelf, O_PATH | O_CLOEXEC));
  if (error || !program) return complain({runtime::Code::kSystem, "cannot find our own program", errno});
  Options options{.is_run = is_run,
                  .front = {.path = path, .fd = program.get(), .arguments = {"front", "3", "4", "5"}},
                  .adopted = adopt_listen_fds(),
                  .load = std::move(load)};
  const auto made = Supervisor::make(std::move(settings), std::move(options));
  return made ? (*made)->run() : complain(made.error());
}

}  // namespace supervisor
