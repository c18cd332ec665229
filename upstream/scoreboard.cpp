#include "upstream/scoreboard.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace upstream {

using runtime::Code;
using runtime::fail;
using runtime::Fd;
using runtime::Result;

void Scoreboard::Unmap::operator()(Board* board) const { ::munmap(board, sizeof(Board)); }

Result<Scoreboard> Scoreboard::make() {
  Fd fd(::memfd_create("portherd-scoreboard", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd || ::ftruncate(fd.get(), sizeof(Board)) != 0 ||
      ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    return fail(Code::kSystem, "cannot make the scoreboard", errno);
  }
  return adopt(std::move(fd));
}

Result<Scoreboard> Scoreboard::adopt(Fd fd) {
  struct stat about{};
  if (::fstat(fd.get(), &about) != 0) return fail(Code::kSystem, "cannot look at the scoreboard", errno);
  if (about.st_size != sizeof(Board)) return fail(Code::kProtocol, "the scoreboard is of another version");
  void* memory = ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (memory == MAP_FAILED) return fail(Code::kSystem, "cannot map the scoreboard", errno);
  return Scoreboard(std::move(fd), static_cast<Board*>(memory));
}

void Scoreboard::clear_gauges() {
  for (ThreadFigures& thread : board_->thread) {
    thread.heartbeat = 0;
    thread.connections = 0;
  }
  for (AppFigures& app : board_->app) {
    app.queue = 0;
    app.slots = 0;
    app.busy = 0;
  }
  for (WorkerFigures& worker : board_->worker) worker.busy = 0;
}

}  // namespace upstream
