#include "supervisor/retire.h"

#include "doctest_precompiled.h"

using namespace supervisor::retire;
using runtime::Milliseconds;

namespace {
constexpr runtime::Time kThen{Milliseconds(5'000)};
constexpr Milliseconds kGrace{30'000};
}  // namespace

TEST_CASE("a worker that nothing is stuck in stays, and time changes nothing in that") {
  CHECK(verdict({.graceful_timeout = kGrace}, kThen) == Verdict{});
}

TEST_CASE("a stuck request has graceful_timeout to give its slot back, then the worker is replaced") {
  const Facts facts{.stuck_since = kThen, .graceful_timeout = kGrace};
  CHECK(verdict(facts, kThen) == Verdict{.look_again = kThen + kGrace});
  CHECK(verdict(facts, kThen + kGrace - Milliseconds(1)) == Verdict{.look_again = kThen + kGrace});
  CHECK(verdict(facts, kThen + kGrace) == Verdict{.why = Why::kStuck});
  CHECK(verdict(facts, kThen + kGrace + kGrace) == Verdict{.why = Why::kStuck});
}

TEST_CASE("a grace of nothing is over at once") {
  CHECK(verdict({.stuck_since = kThen}, kThen) == Verdict{.why = Why::kStuck});
}
