#include "supervisor/backoff.h"

#include "doctest_precompiled.h"

using runtime::Milliseconds;
using runtime::Time;
using supervisor::Allowance;
using supervisor::Backoff;

TEST_CASE("failed boots are tried again at once, then after 0.5 s, doubling to 30 s") {
  Backoff backoff;
  std::vector<long> waits;
  for (int i = 0; i < 10; ++i) waits.push_back(backoff.next(0.5).count());
  CHECK(waits == std::vector<long>{0, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000});
}

TEST_CASE("jitter takes or adds a fifth at most") {
  Backoff least, most;
  least.next(0);
  most.next(0);
  CHECK(least.next(0) == Milliseconds(400));
  CHECK(most.next(0.999999) == Milliseconds(599));
}

TEST_CASE("a boot that succeeds begins the sequence anew") {
  Backoff backoff;
  for (int i = 0; i < 5; ++i) backoff.next(0.5);
  backoff.reset();
  CHECK(backoff.next(0.5) == Milliseconds(0));
  CHECK(backoff.next(0.5) == Milliseconds(500));
}

TEST_CASE("ten ends after ready are replaced at once, then four a second") {
  Allowance allowance;
  const Time now = Time{} + std::chrono::hours(1);
  for (int i = 0; i < 10; ++i) CHECK(allowance.take(now) == Milliseconds(0));
  CHECK(allowance.take(now) == Milliseconds(250));
  CHECK(allowance.take(now) == Milliseconds(500));
  CHECK(allowance.take(now + Milliseconds(500)) == Milliseconds(250));
}

TEST_CASE("an allowance that was not used grows back to ten, and no further") {
  Allowance allowance;
  const Time now = Time{} + std::chrono::hours(1);
  for (int i = 0; i < 10; ++i) allowance.take(now);
  const Time later = now + std::chrono::minutes(10);
  for (int i = 0; i < 10; ++i) CHECK(allowance.take(later) == Milliseconds(0));
  CHECK(allowance.take(later) == Milliseconds(250));
}

TEST_CASE("a cause is told in full once, then once per doubling") {
  std::vector<std::size_t> told;
  for (std::size_t n = 0; n <= 20; ++n) {
    if (supervisor::is_worth_saying(n)) told.push_back(n);
  }
  CHECK(told == std::vector<std::size_t>{1, 2, 4, 8, 16});
}
