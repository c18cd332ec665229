#include "runtime/memory_text.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace runtime {

Result<Fd> to_memory(const char* name, std::string_view text) {
  Fd fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  for (std::size_t done = 0; fd && done < text.size();) {
    const auto n = ::pwrite(fd.get(), text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (n <= 0) return fail(Code::kSystem, fmt::format("cannot write {} to memory", name), errno);
    done += static_cast<std::size_t>(n);
  }
  if (!fd || ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0)
    return fail(Code::kSystem, fmt::format("cannot keep {} in memory", name), errno);
  return fd;
}

Result<std::string> from_memory(int fd, Bytes most) {
  struct stat about{};
  if (::fstat(fd, &about) != 0 || about.st_size < 0)
    return fail(Code::kSystem, "cannot look at what another process has written", errno);
  if (static_cast<Bytes>(about.st_size) > most)
    return fail(Code::kProtocol, fmt::format("another process has written {} bytes; {} are too many", about.st_size, most));
  std::string text(static_cast<std::size_t>(about.st_size), '\0');
  for (std::size_t done = 0; done < text.size();) {
    const auto n = ::pread(fd, text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (n <= 0) return fail(Code::kSystem, "cannot read what another process has written", errno);
    done += static_cast<std::size_t>(n);
  }
  return text;
}

}  // namespace runtime
