#include "supervisor/herd.h"

#include "runtime/memory_text.h"
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
  return runtime::to_memory("portherd-python", upstream::python_bootstrap());
}

}  // namespace supervisor
