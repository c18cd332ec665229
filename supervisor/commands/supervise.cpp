#include "supervisor/commands/supervise.h"

#include <fcntl.h>
#include <sys/auxv.h>
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

// As it was started, not as it is resolved: a package may put the next version behind the same link. A program
// that was started from a descriptor (fexecve(3)) has no such path.
std::string path_as_started(const std::string& resolved) {
  const auto* const executed = reinterpret_cast<const char*>(::getauxval(AT_EXECFN));
  std::string_view name = executed == nullptr ? "" : executed;
  while (name.starts_with("./")) name.remove_prefix(2);
  std::error_code error;
  const std::string path = std::filesystem::absolute(name, error).string();
  return !error && std::filesystem::equivalent(path, kSelf, error) && !path.starts_with("/dev/fd/") ? path : resolved;
}

runtime::Result<Options> own_options() {
  std::error_code error;
  const std::string path = std::filesystem::read_symlink(kSelf, error).string();
  // Open as long as we live: the front is always of our own version, and its user need not reach our path.
  runtime::Fd program(::open(kSelf, O_PATH | O_CLOEXEC));
  if (error || !program) return runtime::fail(runtime::Code::kSystem, "cannot find our own program", errno);
  const int fd = program.get();
  return Options{.front = {.path = path, .fd = fd, .arguments = {"front", "3", "4", "5"}},
                 .self = std::move(program),
                 .program = path_as_started(path)};
}

runtime::Result<std::unique_ptr<Supervisor>> make(conf::Settings settings, bool is_run, Reread load) {
  TRY(Options options, own_options());
  options.is_run = is_run;
  options.adopted = adopt_listen_fds();
  options.load = std::move(load);
  return Supervisor::make(std::move(settings), std::move(options));
}

}  // namespace

int supervise(conf::Settings settings, bool is_run, Reread load) {
  fill_standard_descriptors();
  const auto made = make(std::move(settings), is_run, std::move(load));
  return made ? (*made)->run() : complain(made.error());
}

runtime::Result<std::unique_ptr<Supervisor>> adopt(const std::string& text, const std::string& refused, Reread load) {
  TRY(const saved::Supervisor all, saved::read(text));
  TRY(Options options, own_options());
  options.load = std::move(load);
  return Supervisor::adopt(all, std::move(options), refused);
}

}  // namespace supervisor
