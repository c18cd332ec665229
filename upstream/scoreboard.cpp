#include "upstream/scoreboard.h"

#include <algorithm>

namespace upstream {

using runtime::Fd;
using runtime::Result;

namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr std::size_t kBits = 64;

constexpr std::uint64_t bit_of(std::size_t app) {
  return std::uint64_t{1} << app % kBits;
}

bool has_row(const ThreadFigures& thread, std::size_t app) {
  return (thread.has_row[app / kBits].load(kRelaxed) & bit_of(app)) != 0;
}

/// 0: never.
std::uint64_t earlier(std::uint64_t a, std::uint64_t b) {
  return a == 0 || b == 0 ? std::max(a, b) : std::min(a, b);
}

/// A front may have written whatever it likes.
std::size_t threads_of(const Block& block) {
  return std::min<std::size_t>(block.most_threads.load(kRelaxed), kMaxThreads);
}

void clear_gauges(Block& block, std::size_t workers) {
  block.threads = 0;
  for (std::size_t t = 0; t < threads_of(block); ++t) {
    block.thread[t].heartbeat = 0;
    block.thread[t].connections = 0;
    for (std::size_t app = 0; app <= kNoApp; ++app) {
      if (has_row(block.thread[t], app)) block.row[t][app].in_flight = 0;
    }
  }
  for (AppFigures& app : block.board.app) app.queue = app.slots = app.busy = 0, app.waits_since = 0;
  for (std::size_t row = 0; row < workers; ++row) block.board.worker[row].busy = block.board.worker[row].taken = 0;
}

}  // namespace

void Block::set_threads(std::size_t number) {
  threads = static_cast<std::uint32_t>(number);
  most_threads = std::max(most_threads.load(), threads.load());
}

AppRow& Block::row_of(std::size_t thread_index, std::size_t app) {
  Figure& bits = thread[thread_index].has_row[app / kBits];
  const std::uint64_t known = bits.load(kRelaxed);
  if ((known & bit_of(app)) == 0) bits.store(known | bit_of(app), kRelaxed);
  return row[thread_index][app];
}

Result<Scoreboard> Scoreboard::make() {
  TRY(auto memory, runtime::SharedMemory<Blocks>::make("portherd-scoreboard", /*others_may_write=*/true));
  return Scoreboard(std::move(memory));
}

Result<Scoreboard> Scoreboard::adopt(Fd fd) {
  TRY(auto memory, runtime::SharedMemory<Blocks>::adopt(std::move(fd)));
  return Scoreboard(std::move(memory));
}

// The lowest free one, so that those that were ever used stand side by side.
std::optional<std::size_t> Scoreboard::begin_front() {
  const auto free = std::ranges::find(is_taken_, false);
  if (free == is_taken_.end()) return std::nullopt;
  const auto index = static_cast<std::uint32_t>(free - is_taken_.begin());
  *free = true;
  memory_->used = std::max(memory_->used.load(), index + 1);
  memory_->next = index;
  clear_gauges(block(index), workers_);
  count_living();
  return index;
}

void Scoreboard::go_on(const std::vector<std::size_t>& blocks, std::size_t workers) {
  for (const std::size_t index : blocks) is_taken_[index] = true;
  workers_ = workers;
}

void Scoreboard::end_front(std::size_t index) {
  clear_gauges(block(index), workers_);
  is_taken_[index] = false;
  count_living();
}

void Scoreboard::count_living() {
  memory_->living = static_cast<std::uint32_t>(std::ranges::count(is_taken_, true));
}

// Seq_cst: each front counts its own first and looks at the others' then, so of two at least one sees the other.
std::uint64_t Scoreboard::taken_elsewhere(std::uint32_t row) const {
  std::uint64_t sum = 0;
  for_each_block([&](const Block& block) {
    if (&block != own_) sum += block.board.worker[row].taken.load();
  });
  return sum;
}

std::uint64_t Scoreboard::waits_since_elsewhere(AppIndex app) const {
  std::uint64_t earliest = 0;
  for_each_block([&](const Block& block) {
    if (&block != own_) earliest = earlier(earliest, block.board.app[app].waits_since.load(kRelaxed));
  });
  return earliest;
}

void Scoreboard::clear_worker(std::uint32_t row) {
  workers_ = std::max<std::size_t>(workers_, row + 1);
  for_each_block([row](Block& block) {
    WorkerFigures& worker = block.board.worker[row];
    worker.served = 0;
    worker.connects = 0;
    worker.busy = 0;
    worker.taken = 0;
  });
}

template <class F>
void Scoreboard::for_each_block(F each) const {
  const std::size_t used = std::min<std::size_t>(memory_->used.load(kRelaxed), kMaxFronts);
  for (std::size_t i = 0; i < used; ++i) each(memory_->block[i]);
}

template <class F>
void Scoreboard::for_each_row(std::size_t app, F each) const {
  for_each_block([&](const Block& block) {
    for (std::size_t t = 0; t < threads_of(block); ++t) {
      if (has_row(block.thread[t], app)) each(block.row[t][app]);
    }
  });
}

AppTotals Scoreboard::totals(std::size_t app) const {
  AppTotals sum;
  for_each_row(app, [&](const AppRow& row) { add(row, sum); });
  return sum;
}

Histogram<std::uint64_t> Scoreboard::durations(std::size_t app) const {
  Histogram<std::uint64_t> sum;
  for_each_row(app, [&](const AppRow& row) { add(row.duration, sum); });
  return sum;
}

Scoreboard::AppGauges Scoreboard::gauges(AppIndex app) const {
  AppGauges sum;
  for_each_block([&](const Block& block) {
    const AppFigures& figures = block.board.app[app];
    sum.queue += figures.queue.load(kRelaxed);
    sum.slots = std::max<std::uint64_t>(sum.slots, figures.slots.load(kRelaxed));
    sum.busy += figures.busy.load(kRelaxed);
    sum.late += figures.late.load(kRelaxed);
    sum.unspared += figures.unspared.load(kRelaxed);
    sum.waits_since = earlier(sum.waits_since, figures.waits_since.load(kRelaxed));
  });
  return sum;
}

Scoreboard::WorkerTotals Scoreboard::worker(std::uint32_t row) const {
  WorkerTotals sum;
  for_each_block([&](const Block& block) {
    const WorkerFigures& figures = block.board.worker[row];
    sum.served += figures.served.load(kRelaxed);
    sum.connects += figures.connects.load(kRelaxed);
    sum.busy += figures.busy.load(kRelaxed);
  });
  return sum;
}

std::uint64_t Scoreboard::connections() const {
  std::uint64_t sum = 0;
  for_each_block([&](const Block& block) {
    for (std::size_t t = 0; t < threads_of(block); ++t) sum += block.thread[t].connections.load(kRelaxed);
  });
  return sum;
}

std::uint64_t Scoreboard::handshakes(Handshake result) const {
  const auto index = static_cast<std::size_t>(result);
  std::uint64_t sum = 0;
  for_each_block([&](const Block& block) {
    for (std::size_t t = 0; t < threads_of(block); ++t)
      sum += block.thread[t].handshakes[index].load(kRelaxed);
  });
  return sum;
}

}  // namespace upstream
