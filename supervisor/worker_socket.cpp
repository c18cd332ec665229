#include "supervisor/worker_socket.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/socket.h"

namespace supervisor {
namespace {

using runtime::Code;
using runtime::fail;
using runtime::Fd;
using runtime::Result;

// Free now; nobody can promise that it still is when the program binds it. For programs that know nothing
// else.
Result<std::uint16_t> free_port() {
  TRY(const Fd fd, runtime::listen_tcp("127.0.0.1", 0, /*shared=*/false));
  return runtime::local_port(fd.get());
}

}  // namespace

Result<void> give(const std::string& path, const Account& owner, const Account& front) {
  if (!is_root() || ::lchown(path.c_str(), owner.uid, front.gid) == 0) return {};
  return fail(Code::kSystem, fmt::format("cannot give {} to {}", path, owner.name), errno);
}

Result<WorkerSocket> WorkerSocket::make(Handover how, const std::string& stem, const Account& owner,
                                        const Account& front) {
  WorkerSocket made;
  switch (how) {
    case Handover::kListenFds: {
      TRY(Fd listening, runtime::listen_unix(stem + ".sock", 0660));
      // Blocking, as systemd hands sockets over (systemd.socket(5), NonBlocking=): a plain accept() in a loop
      // must wait.
      ::fcntl(listening.get(), F_SETFL, 0);
      made.listening_ = std::move(listening);
      made.path_ = stem + ".sock";
      TRY_VOID(give(made.path_, owner, front));
      return made;
    }
    case Handover::kPath: {
      // A folder of its own, in which its user may make the socket, and which the front may enter.
      if (::mkdir(stem.c_str(), 0710) != 0)
        return fail(Code::kSystem, "cannot make the folder " + stem, errno);
      made.folder_ = stem;
      made.path_ = stem + "/sock";
      ::chmod(stem.c_str(), 0710);
      TRY_VOID(give(stem, owner, front));
      return made;
    }
    case Handover::kPort: {
      TRY(const std::uint16_t port, free_port());
      made.port_ = port;
      return made;
    }
  }
  return made;
}

WorkerSocket::~WorkerSocket() {
  if (!path_.empty()) ::unlink(path_.c_str());
  if (!folder_.empty()) ::rmdir(folder_.c_str());
}

std::string WorkerSocket::address() const {
  return port_ != 0 ? fmt::format("port:{}", port_) : path_;
}

// The folder belongs to the app's user, who could put a link there: what is changed is the socket that was
// opened, by its number, whatever the path means by then.
bool WorkerSocket::admit(const Account& front) const {
  if (folder_.empty() || !is_root()) return true;
  const Fd socket(::open(path_.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat about{};
  if (!socket || ::fstat(socket.get(), &about) != 0 || !S_ISSOCK(about.st_mode)) return false;
  const std::string by_number = fmt::format("/proc/self/fd/{}", socket.get());
  return ::chown(by_number.c_str(), about.st_uid, front.gid) == 0 && ::chmod(by_number.c_str(), 0660) == 0;
}

}  // namespace supervisor
