#include "supervisor/memory_advice.h"

#include "doctest_precompiled.h"

using supervisor::advice_on_memory;

namespace {
constexpr runtime::Bytes kMiB = 1024 * 1024;
}

TEST_CASE("that a second worker will not fit is said in words") {
  CHECK(advice_on_memory({.wanted = 4, .fits = 1, .threads = 8, .one = 210 * kMiB, .usable = 256 * kMiB}) ==
        "one worker with 8 threads uses 210 MiB of 256 MiB; a second will not fit");
}

TEST_CASE("where some fit it is said how many") {
  CHECK(advice_on_memory({.wanted = 8, .fits = 3, .one = 60 * kMiB, .usable = 256 * kMiB}) ==
        "one worker uses 60 MiB of 256 MiB; of 8 only 3 will fit");
  CHECK(advice_on_memory({.wanted = 3, .fits = 2, .threads = 1, .one = 100 * kMiB, .usable = 256 * kMiB}) ==
        "one worker with 1 thread uses 100 MiB of 256 MiB; of 3 only 2 will fit");
}

TEST_CASE("where all fit there is nothing to say") {
  CHECK(advice_on_memory({.wanted = 1, .fits = 1, .one = 300 * kMiB, .usable = 256 * kMiB}) == std::nullopt);
  CHECK(advice_on_memory({.wanted = 4, .fits = 4, .one = 20 * kMiB, .usable = 256 * kMiB}) == std::nullopt);
}
