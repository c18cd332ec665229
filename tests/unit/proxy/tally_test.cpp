#include "proxy/tally.h"

#include "doctest_precompiled.h"

using namespace proxy;
using namespace std::chrono_literals;

namespace {

using Row = upstream::AppCounts<upstream::Figure>;

std::size_t bucket_of(std::chrono::microseconds bound) {
  return static_cast<std::size_t>(std::ranges::find(upstream::kBounds, bound) - upstream::kBounds.begin());
}

AccessEvent answered() {
  AccessEvent event;
  event.status = 200;
  event.worker = 1;
  event.attempts = 1;
  event.queue = 3ms;
  event.first_byte = 20ms;
  event.total = 30ms;
  return event;
}

}  // namespace

TEST_CASE("an answer is counted by its status, and each of its times in the bucket that holds it") {
  Row row;
  tally(answered(), row);
  CHECK(row.by_status[200] == 1);
  CHECK(row.served == 1);
  CHECK(row.queue_wait.bucket[bucket_of(5ms)] == 1);
  CHECK(row.first_byte.bucket[bucket_of(25ms)] == 1);
  CHECK(row.duration.bucket[bucket_of(50ms)] == 1);
  CHECK(row.duration.sum == 30'000);
  CHECK(row.failed == 0);
  CHECK(row.abandoned == 0);
  CHECK(row.retried == 0);
}

TEST_CASE("a bound is part of its bucket; what is above the last has one of its own") {
  Row row;
  AccessEvent event = answered();
  for (const int over : {0, 1}) {
    event.total = 60s + std::chrono::microseconds(over);
    tally(event, row);
  }
  CHECK(row.duration.bucket[bucket_of(60s)] == 1);
  CHECK(row.duration.bucket.back() == 1);
}

TEST_CASE("who never wanted a worker has not waited for one; who waited in vain has") {
  Row row;
  AccessEvent file = answered();
  file.worker = file.attempts = 0;
  file.first_byte = -1us;
  tally(file, row);
  CHECK(row.served == 0);
  CHECK(row.queue_wait.sum == 0);
  CHECK(row.first_byte.sum == 0);
  AccessEvent refused = file;
  refused.status = 503;
  refused.outcome = kQueueTimeout;
  refused.queue = 10s;
  tally(refused, row);
  CHECK(row.queue_wait.bucket[bucket_of(10s)] == 1);
}

TEST_CASE("refusals are counted by reason, and as failures unless they are by order") {
  Row row;
  AccessEvent event = answered();
  event.status = 503;
  for (const Outcome& outcome : {kQueueFull, kQueueTimeout, kNotBooted, kTooManyFiles, kSpoolFull}) {
    event.outcome = outcome;
    tally(event, row);
  }
  CHECK(row.failed == 5);
  for (const Outcome& outcome : {kMaintenance, kStopped}) {
    event.outcome = outcome;
    tally(event, row);
  }
  for (const upstream::Figure& figure : row.refused) CHECK(figure == 1);
  CHECK(row.failed == 5);
  CHECK(row.served == 0);
}

TEST_CASE("a client that left is its own fault, a worker that died the app's") {
  Row row;
  AccessEvent event = answered();
  event.outcome = kClientGone;
  tally(event, row);
  event.outcome = kWorkerLost;
  event.attempts = 3;
  tally(event, row);
  CHECK(row.abandoned == 1);
  CHECK(row.failed == 1);
  CHECK(row.retried == 2);
}

TEST_CASE("a status that cannot be is counted, too: nothing is written beside the row") {
  Row row;
  AccessEvent event = answered();
  event.status = 65535;
  tally(event, row);
  CHECK(row.by_status.back() == 1);
}
