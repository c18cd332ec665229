// What of an exchange's way stands in its event.
#include "proxy/record.h"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using proxy::Record;

namespace {

const runtime::Time kStart{1h};
constexpr runtime::WallTime kWall{std::chrono::sys_days{2026y / 11 / 24}};

upstream::Worker worker(upstream::WorkerId id) {
  return {.id = id, .slot = static_cast<std::uint32_t>(id), .pid = static_cast<std::int32_t>(100 + id)};
}

proxy::AccessEvent event_of(const Record& record, runtime::Time now) {
  return record.event(upstream::RequestHead(), proxy::ClientFacts(), now);
}

}  // namespace

TEST_CASE("queue_ms is the time in line, all attempts together, and nothing else") {
  Record record;
  record.begin(kStart, kWall);
  record.seek(kStart + 500ms);  // its body came slowly
  record.lease(worker(1), kStart + 530ms);
  CHECK(event_of(record, kStart + 1s).queue == 30ms);
  record.seek(kStart + 2s);
  record.lease(worker(2), kStart + 2s + 12ms);
  record.stop_waiting(kStart + 3s);
  const proxy::AccessEvent event = event_of(record, kStart + 3s);
  CHECK(event.queue == 42ms);
  CHECK(event.time == kWall);
  CHECK(event.total == 3s);
  CHECK(event.attempts == 2);
  CHECK(event.pid == 102);
}

TEST_CASE("who leaves the line has waited, too, and who never stood in it has not") {
  Record record;
  record.begin(kStart, kWall);
  CHECK(event_of(record, kStart + 1s).queue == 0ms);
  record.seek(kStart + 1s);
  record.stop_waiting(kStart + 4s);
  CHECK(event_of(record, kStart + 9s).queue == 3s);
  CHECK(event_of(record, kStart + 9s).attempts == 0);
}

TEST_CASE("a worker is lost once, and two of them at most are noted") {
  Record record;
  record.lease(worker(1), kStart);
  record.lose();
  record.lose();
  CHECK(record.all_lost().size() == 1);
  for (const upstream::WorkerId id : {2, 3}) {
    record.lease(worker(id), kStart);
    record.lose();
  }
  REQUIRE(record.all_lost().size() == 2);
  CHECK(record.all_lost()[0].pid == 101);
  CHECK(record.all_lost()[1].pid == 102);
}
