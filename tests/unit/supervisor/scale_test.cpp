#include "supervisor/scale.h"

#include "doctest_precompiled.h"

using namespace supervisor::scale;
using runtime::Milliseconds;

namespace {

constexpr runtime::Bytes kMiB = 1024 * 1024;

conf::App app_of(std::size_t min, std::size_t max) {
  conf::App app;
  app.workers = {.min = min, .max = max};
  app.target_wait = Milliseconds(100);
  app.idle_timeout = Milliseconds(60'000);
  return app;
}

/// Four slots each, all of them in use, nobody waits.
Load busy(std::size_t workers) {
  return {.wanted = workers,
          .ready = workers,
          .slots = 4,
          .busy = workers * 4,
          .settled = Milliseconds(60'000),
          .memory = {.ready = workers, .one = 50 * kMiB, .available = 10'000 * kMiB}};
}

Load waiting(std::size_t workers, std::uint64_t requests, Milliseconds longest) {
  Load load = busy(workers);
  load.waiting = requests;
  load.longest_wait = longest;
  return load;
}

Load spare(std::size_t workers, std::uint64_t slots, Milliseconds since) {
  Load load = busy(workers);
  load.busy = slots;
  load.spare = since;
  return load;
}

}  // namespace

TEST_CASE("as many fit as are there, and as the rest of the memory holds") {
  CHECK(fit({}) == std::nullopt);
  CHECK(fit({.ready = 1, .one = 100 * kMiB, .available = 350 * kMiB}) == 4);
  CHECK(fit({.ready = 1, .one = 100 * kMiB, .available = 99 * kMiB}) == 1);
  // Who is on his way has not taken his part yet, but nobody sends him away for it.
  CHECK(fit({.ready = 1, .coming = 2, .one = 100 * kMiB, .available = 350 * kMiB}) == 4);
  CHECK(fit({.ready = 1, .coming = 2, .one = 100 * kMiB, .available = 0}) == 3);
}

TEST_CASE("what others have been promised is not there for one more") {
  constexpr runtime::Bytes kSize = 100;
  const Promises promised{{0, {.missing = 3, .one = kSize}}, {1, {.missing = 2, .one = kSize}}, {2, {.missing = 7, .one = 0}}};
  CHECK(left_for(0, 1000, promised) == 800);   // its own it knows
  CHECK(left_for(1, 1000, promised) == 700);
  CHECK(left_for(2, 1000, promised) == 500);
  CHECK(left_for(2, 400, promised) == 0);
  // Two that start together where 6 fit: the second one has what the first one leaves.
  const auto plan = [](const Promises& all, upstream::AppIndex app) {
    return automatic(8, {.ready = 1, .one = kSize, .available = left_for(app, 400, all)}).wanted;
  };
  Promises together;
  together[0] = {.missing = plan(together, 0) - 1, .one = kSize};
  together[1] = {.missing = plan(together, 1) - 1, .one = kSize};
  CHECK(together[0].missing == 4);
  CHECK(together[1].missing == 0);
}

TEST_CASE("auto begins with one, and has one for each CPU as soon as it is known that they fit") {
  CHECK(first(conf::Workers::automatic()) == 1);
  CHECK(first(conf::Workers::fixed(3)) == 3);
  CHECK(first({.min = 0, .max = 3}) == 0);
  CHECK(automatic(4, {}).wanted == 1);
  const Verdict roomy = automatic(4, {.ready = 1, .one = 100 * kMiB, .available = 1000 * kMiB});
  CHECK(roomy.wanted == 4);
  CHECK(roomy.why == "4 CPUs, memory for 11 of 100 MiB");
  CHECK(automatic(4, {.ready = 1, .one = 100 * kMiB, .available = 150 * kMiB}).wanted == 2);
  CHECK(automatic(4, {.ready = 1, .one = 100 * kMiB, .available = 0}).wanted == 1);
}

TEST_CASE("no more while nobody waits for longer than target_wait") {
  CHECK(by_load(app_of(1, 8), busy(2)).wanted == 2);
  CHECK(by_load(app_of(1, 8), waiting(2, 50, Milliseconds(100))).wanted == 2);
}

TEST_CASE("as many more as those in line need, at most twice as many as there are, and at most max") {
  CHECK(by_load(app_of(1, 8), waiting(2, 1, Milliseconds(101))).wanted == 3);
  CHECK(by_load(app_of(1, 8), waiting(2, 8, Milliseconds(101))).wanted == 4);
  CHECK(by_load(app_of(1, 8), waiting(2, 500, Milliseconds(101))).wanted == 4);
  CHECK(by_load(app_of(1, 3), waiting(2, 500, Milliseconds(101))).wanted == 3);
  CHECK(by_load(app_of(1, 2), waiting(2, 500, Milliseconds(101))).wanted == 2);
}

TEST_CASE("who is on the way is waited for, if that will do") {
  Load load = waiting(2, 8, Milliseconds(500));
  load.wanted = 4;
  CHECK(by_load(app_of(1, 8), load).wanted == 4);
  load.waiting = 9;
  CHECK(by_load(app_of(1, 8), load).wanted == 5);
}

TEST_CASE("where nobody is ready there are no more of them") {
  Load load = waiting(1, 8, Milliseconds(500));
  load.ready = 0;
  CHECK(by_load(app_of(1, 8), load).wanted == 1);
}

TEST_CASE("one more for waits that were over before anybody looked, but not for those from before a change") {
  Load load = busy(2);
  load.were_late = true;
  CHECK(by_load(app_of(1, 8), load).wanted == 3);
  load.settled = kSettles - Milliseconds(1);
  CHECK(by_load(app_of(1, 8), load).wanted == 2);
}

TEST_CASE("no more than fit into the memory") {
  Load load = waiting(4, 500, Milliseconds(500));
  load.memory.available = 60 * kMiB;
  const Verdict verdict = by_load(app_of(1, 8), load);
  CHECK(verdict.wanted == 5);
  CHECK(verdict.why == "memory for 5 of 50 MiB");
  load.memory.available = 0;
  CHECK(by_load(app_of(1, 8), load).wanted == 4);
}

TEST_CASE("one fewer when it would have done for all of idle_timeout, down to min") {
  CHECK(by_load(app_of(1, 8), spare(3, 8, Milliseconds(59'999))).wanted == 3);
  CHECK(by_load(app_of(1, 8), spare(3, 8, Milliseconds(60'000))).wanted == 2);
  CHECK(by_load(app_of(1, 8), spare(3, 9, Milliseconds(60'000))).wanted == 3);  // long ones hold their slots
  CHECK(by_load(app_of(3, 8), spare(3, 0, Milliseconds(60'000))).wanted == 3);
  CHECK(by_load(app_of(1, 8), spare(1, 0, Milliseconds(60'000))).wanted == 1);
}

TEST_CASE("with a min of 0 the last one leaves, too, when nothing is in flight") {
  CHECK(by_load(app_of(0, 8), spare(1, 0, Milliseconds(60'000))).wanted == 0);
  CHECK(by_load(app_of(0, 8), spare(1, 1, Milliseconds(60'000))).wanted == 1);
  Load load = spare(1, 0, Milliseconds(60'000));
  load.waiting = 1;
  CHECK(by_load(app_of(0, 8), load).wanted == 1);
}

TEST_CASE("other bounds are kept at once") {
  CHECK(by_load(app_of(4, 8), busy(2)).wanted == 4);
  CHECK(by_load(app_of(1, 2), busy(4)).wanted == 2);
}

TEST_CASE("one more or one fewer by order: never none, nor past what an app may have, and who sleeps is left asleep") {
  CHECK(stepped(2, 1) == 3);
  CHECK(stepped(2, -1) == 1);
  CHECK(stepped(1, -1) == 1);
  CHECK(stepped(0, -1) == 0);
  CHECK(stepped(0, 1) == 1);
  CHECK(stepped(1024, 1) == 1024);
}
