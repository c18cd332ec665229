#include "supervisor/watchdog.h"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using supervisor::may_feed;
using supervisor::watchdog_interval;

TEST_CASE("the watchdog is told twice in its period, if it is meant for us") {
  CHECK(watchdog_interval("30000000", nullptr, 7) == 15s);
  CHECK(watchdog_interval("30000000", "7", 7) == 15s);
  CHECK_FALSE(watchdog_interval("30000000", "8", 7));
  CHECK_FALSE(watchdog_interval("30000000", "", 7));
  CHECK_FALSE(watchdog_interval(nullptr, nullptr, 7));
}

TEST_CASE("a period that says nothing sensible is none") {
  CHECK_FALSE(watchdog_interval("", nullptr, 7));
  CHECK_FALSE(watchdog_interval("0", nullptr, 7));
  CHECK_FALSE(watchdog_interval("1999", nullptr, 7));
  CHECK_FALSE(watchdog_interval("-1", nullptr, 7));
  CHECK_FALSE(watchdog_interval("18446744073709551615", nullptr, 7));
  CHECK(watchdog_interval("2000", nullptr, 7) == 1ms);
}

TEST_CASE("it is told only if every thread of the front has turned since") {
  const runtime::Time now{100s};
  CHECK(may_feed(now, now, 15s));
  CHECK(may_feed(now - 15s, now, 15s));
  CHECK_FALSE(may_feed(now - 15s - 1ms, now, 15s));
  CHECK_FALSE(may_feed(std::nullopt, now, 15s));
}

TEST_CASE("a short period does not take a thread that turns for one that stands still") {
  const runtime::Time now{100s};
  CHECK(may_feed(now - 1900ms, now, 100ms));
  CHECK_FALSE(may_feed(now - 2100ms, now, 100ms));
}
