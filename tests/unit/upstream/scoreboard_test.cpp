#include "upstream/scoreboard.h"

#include <sys/stat.h>

#include "doctest_precompiled.h"

using upstream::Scoreboard;

namespace {

constexpr std::size_t kApp = 2;

/// A front of one process life: it adopts what the supervisor made, and has `threads`.
Scoreboard start_front(Scoreboard& supervisor, std::uint32_t threads) {
  auto front = Scoreboard::adopt(runtime::duplicate(supervisor.fd()));
  REQUIRE(front.has_value());
  (*front)->set_threads(threads);
  return std::move(*front);
}

std::int64_t pages_of(const Scoreboard& board) {
  struct stat about {};
  ::fstat(board.fd(), &about);
  return about.st_blocks;
}

void serve(Scoreboard& front, std::size_t thread, std::uint64_t times) {
  upstream::AppRow& row = front->row_of(thread, kApp);
  upstream::count(row.served, times);
  upstream::count(row.by_status[200], times);
  upstream::count(row.duration.bucket[3], times);
  upstream::count(row.in_flight);
}

}  // namespace

TEST_CASE("a front counts on where the one before it ended, and its gauges begin at zero") {
  Scoreboard supervisor = std::move(*Scoreboard::make());
  std::uint64_t counted = 0;
  for (std::uint32_t life = 1; life <= 10; ++life) {
    const auto block = supervisor.begin_front();
    REQUIRE(block.has_value());
    Scoreboard front = start_front(supervisor, life % 3 + 1);  // another number of threads: no row is lost
    CHECK(supervisor.totals(kApp).in_flight == 0);
    serve(front, life % 3, life);
    front->board.app[kApp].busy = 1;
    front->thread[0].connections = 5;
    counted += life;
    CHECK(supervisor.totals(kApp).served == counted);
    CHECK(supervisor.gauges(kApp).busy == 1);
    supervisor.end_front(*block);
    CHECK(supervisor.totals(kApp).served == counted);
    CHECK(supervisor.totals(kApp).by_status[200] == counted);
    CHECK(supervisor.durations(kApp).bucket[3] == counted);
    CHECK(supervisor.totals(kApp).in_flight == 0);
    CHECK(supervisor.gauges(kApp).busy == 0);
    CHECK(supervisor.connections() == 0);
  }
}

TEST_CASE("fronts that live at the same time have a block each, and are summed") {
  Scoreboard supervisor = std::move(*Scoreboard::make());
  const auto old_block = supervisor.begin_front();
  Scoreboard old_front = start_front(supervisor, 1);
  const auto new_block = supervisor.begin_front();
  Scoreboard new_front = start_front(supervisor, 2);
  REQUIRE(old_block != new_block);
  serve(old_front, 0, 1);
  serve(new_front, 1, 10);
  CHECK(supervisor.totals(kApp).served == 11);
  CHECK(supervisor.totals(kApp).in_flight == 2);
  CHECK(new_front.totals(kApp).served == 11);
  old_front->board.app[kApp].slots = new_front->board.app[kApp].slots = 4;  // of the same workers
  old_front->board.app[kApp].busy = new_front->board.app[kApp].busy = 1;
  CHECK(supervisor.gauges(kApp).slots == 4);
  CHECK(supervisor.gauges(kApp).busy == 2);
  supervisor.end_front(*old_block);
  CHECK(supervisor.totals(kApp).served == 11);
  CHECK(supervisor.totals(kApp).in_flight == 1);
}

TEST_CASE("no more fronts than there are blocks; an end makes room") {
  Scoreboard supervisor = std::move(*Scoreboard::make());
  std::vector<std::size_t> blocks;
  for (std::size_t i = 0; i < upstream::kMaxFronts; ++i) blocks.push_back(*supervisor.begin_front());
  CHECK_FALSE(supervisor.begin_front().has_value());
  supervisor.end_front(blocks[1]);
  CHECK(supervisor.begin_front() == blocks[1]);
}

TEST_CASE("reading takes no memory where nobody has counted") {
  Scoreboard supervisor = std::move(*Scoreboard::make());
  REQUIRE(supervisor.begin_front().has_value());
  Scoreboard front = start_front(supervisor, upstream::kMaxThreads);
  serve(front, 0, 1);
  const std::int64_t before = pages_of(supervisor);
  for (std::size_t app = 0; app <= upstream::kNoApp; ++app)
    CHECK(supervisor.totals(app).served == (app == kApp ? 1 : 0));
  CHECK(supervisor.handshakes(upstream::Handshake::kOk) == 0);
  // The heads of all threads, which stand side by side: a few pages, whatever the number of apps.
  CHECK(pages_of(supervisor) - before <= static_cast<std::int64_t>(sizeof(front->thread) / 512 + 8));
}

TEST_CASE("a front may write what it likes into its block: nobody reads beyond the end") {
  Scoreboard supervisor = std::move(*Scoreboard::make());
  REQUIRE(supervisor.begin_front() == 0);
  supervisor.block(0).most_threads = 4'000'000;
  CHECK(supervisor.totals(kApp).served == 0);
  supervisor.end_front(0);
  CHECK(supervisor.begin_front() == 0);
}

TEST_CASE("a worker's row is zero for the next one, whoever counted in it") {
  Scoreboard supervisor = std::move(*Scoreboard::make());
  REQUIRE(supervisor.begin_front().has_value());
  supervisor.clear_worker(7);
  supervisor.block(0).board.worker[7].served = 3;
  CHECK(supervisor.worker(7).served == 3);
  supervisor.clear_worker(7);
  CHECK(supervisor.worker(7).served == 0);
}

TEST_CASE("two threads do not share a cache line") {
  Scoreboard board = std::move(*Scoreboard::make());
  const auto address = [](const void* at) {
    return reinterpret_cast<std::uintptr_t>(at) / upstream::kCacheLine;
  };
  CHECK(address(&board->thread[0].has_row.back()) < address(&board->thread[1]));
  CHECK(address(&board->row[0][0].by_status.back()) < address(&board->row[0][1]));
  CHECK(address(&board->row[0].back().by_status.back()) < address(&board->row[1][0]));
}
