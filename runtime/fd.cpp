#include "runtime/fd.h"

#include <fcntl.h>
#include <unistd.h>

namespace runtime {

void Fd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Fd duplicate(int fd) { return Fd(::fcntl(fd, F_DUPFD_CLOEXEC, 3)); }

void make_inheritable(int fd) { ::fcntl(fd, F_SETFD, 0); }

}  // namespace runtime
