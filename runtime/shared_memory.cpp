#include "runtime/shared_memory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace runtime::detail {

Result<Fd> make_shared_file(const char* name, std::size_t size) {
  Fd fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd || ::ftruncate(fd.get(), static_cast<off_t>(size)) != 0)
    return fail(Code::kSystem, fmt::format("cannot make {}", name), errno);
  return fd;
}

Result<void*> map_shared(int fd, std::size_t size, bool may_write) {
  struct stat about {};
  if (::fstat(fd, &about) != 0) return fail(Code::kSystem, "cannot look at shared memory", errno);
  if (about.st_size != static_cast<off_t>(size))
    return fail(Code::kProtocol, "shared memory is of another version");
  void* memory = ::mmap(nullptr, size, may_write ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return fail(Code::kSystem, "cannot map shared memory", errno);
  return memory;
}

Result<void> seal_shared(int fd, bool others_may_write) {
  const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL | (others_may_write ? 0 : F_SEAL_FUTURE_WRITE);
  if (::fcntl(fd, F_ADD_SEALS, seals) != 0) return fail(Code::kSystem, "cannot seal shared memory", errno);
  return {};
}

void unmap_shared(void* memory, std::size_t size) {
  ::munmap(memory, size);
}

}  // namespace runtime::detail
