#include "supervisor/herd.h"

#include <algorithm>

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

namespace {

// Apps that have gone may still have some, beside all those of the settings: one too many is not shown.
upstream::ServiceHerd& find_row(upstream::HerdFigures& herd, std::uint64_t whose) {
  std::uint32_t at = 0;
  while (at < herd.services && herd.service[at].whose != whose) ++at;
  if (at == herd.services && at < upstream::kMaxServices) ++herd.services;
  return herd.service[at];
}

}  // namespace

ServiceRow::ServiceRow(upstream::HerdFigures& herd, std::string_view name, bool is_taken)
    : row_(find_row(herd, is_taken ? upstream::digest_of(name) : 0)) {
  if (!is_taken) {
    for (upstream::Figure& exits : row_.figures.exits) exits = 0;
    row_.figures.restarts = 0;
  }
  if (&row_ != &herd.service.back()) row_.whose = upstream::digest_of(name);
}

ServiceRow::~ServiceRow() {
  row_.whose = 0;
}

runtime::Result<runtime::Fd> python_in_memory() {
  return runtime::to_memory("portherd-python", upstream::python_bootstrap());
}

}  // namespace supervisor
