#include "supervisor/herd.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "upstream/python_package.h"

namespace supervisor {

std::optional<std::uint32_t> Rows::take() {
  std::uint32_t row = unused_;
  if (!free_.empty()) {
    row = free_.back();
    free_.pop_back();
  } else if (unused_ == upstream::kMaxWorkers) {
    return std::nullopt;
  } else {
    ++unused_;
  }
  fronts_.clear_worker(row);
  herd_.workers = unused_;
  return row;
}

void Rows::give_back(std::uint32_t row) {
  herd_.memory[row].bytes = 0;
  free_.push_back(row);
}

void Rows::adopt(std::uint32_t used, const std::set<std::uint32_t>& taken) {
  unused_ = used;
  for (std::uint32_t row = 0; row < used; ++row) {
    if (!taken.contains(row)) free_.push_back(row);
  }
}

runtime::Result<runtime::Fd> python_in_memory() {
  const std::string blob = upstream::python_bootstrap();
  runtime::Fd fd(::memfd_create("portherd-python", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd || ::write(fd.get(), blob.data(), blob.size()) != static_cast<ssize_t>(blob.size()) ||
      ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) {
    return runtime::fail(runtime::Code::kSystem, "cannot prepare the Python worker", errno);
  }
  return fd;
}

}  // namespace supervisor
