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

TEST_CASE("a worker that is not of the wanted release is replaced") {
  CHECK(verdict({.is_of_another_release = true}, kThen) == Verdict{.why = Why::kRelease});
}

TEST_CASE("a worker that fails its health probes is replaced, before a release and after what is stuck") {
  CHECK(verdict({.is_of_another_release = true, .is_unwell = true}, kThen).why == Why::kUnwell);
  CHECK(verdict({.stuck_since = kThen, .is_unwell = true}, kThen).why == Why::kStuck);
}

TEST_CASE("memory has to be too much three times in a row") {
  CHECK(verdict({.looks_above = 2}, kThen) == Verdict{});
  CHECK(verdict({.looks_above = 3}, kThen) == Verdict{.why = Why::kMemory});
}

TEST_CASE("one that was too large at once is spared for a while, and goes for another reason meanwhile") {
  const runtime::Time now = kThen;
  const runtime::Time later = now + Milliseconds(5'000);
  Facts facts{.looks_above = kLooks, .spared_until = later};
  CHECK(verdict(facts, now) == Verdict{.look_again = later});
  CHECK(verdict(facts, later).why == Why::kMemory);
  facts.is_spent = true;
  CHECK(verdict(facts, now).why == Why::kRequests);
  facts = {.looks_above = kLooks - 1, .spared_until = later};
  CHECK(verdict(facts, now) == Verdict{});
}

TEST_CASE("who has had its requests goes, and who is too old") {
  CHECK(verdict({.is_spent = true}, kThen) == Verdict{.why = Why::kRequests});
  CHECK(verdict({.old_at = kThen + kGrace}, kThen) == Verdict{.look_again = kThen + kGrace});
  CHECK(verdict({.old_at = kThen}, kThen) == Verdict{.why = Why::kAge});
}

TEST_CASE("the most urgent reason is told, and the nearest time to look again") {
  const Facts all{.is_of_another_release = true,
                  .stuck_since = kThen,
                  .graceful_timeout = kGrace,
                  .looks_above = 3,
                  .is_spent = true,
                  .old_at = kThen};
  CHECK(verdict(all, kThen + kGrace) == Verdict{.why = Why::kStuck});
  CHECK(verdict(all, kThen) == Verdict{.why = Why::kRelease});
  CHECK(verdict({.looks_above = 3, .is_spent = true, .old_at = kThen}, kThen).why == Why::kMemory);
  CHECK(verdict({.is_spent = true, .old_at = kThen}, kThen).why == Why::kRequests);
  const Facts two{.stuck_since = kThen, .graceful_timeout = kGrace, .old_at = kThen + Milliseconds(1)};
  CHECK(verdict(two, kThen).look_again == kThen + Milliseconds(1));
}

TEST_CASE("limits are drawn: requests from max_requests to its jitter more, the age up to a tenth less") {
  const conf::App app{.max_requests = 50, .max_requests_jitter = 10, .max_age = Milliseconds(100'000)};
  CHECK(draw_limits(app, 0, 0).requests == 50);
  CHECK(draw_limits(app, 0.999, 0).requests == 60);
  CHECK(draw_limits(app, 0, 0).age == Milliseconds(100'000));
  CHECK(draw_limits(app, 0, 0.5).age == Milliseconds(95'000));
  const Limits none = draw_limits(conf::App{.max_requests_jitter = 10}, 0.9, 0.9);
  CHECK(none.requests == 0);
  CHECK(none.age == Milliseconds(0));
}

TEST_CASE("one worker may always be replaced, recycling replaces one at a time") {
  CHECK(may_replace(Why::kStuck, {.one_worker = 1}));
  CHECK(may_replace(Why::kAge, {.one_worker = 1}));
  for (const Why why : {Why::kMemory, Why::kRequests, Why::kAge}) {
    CHECK_FALSE(may_replace(why, {.extras = 1, .max_surge = 4, .available = 1'000}));
  }
}

TEST_CASE("a release replaces max_surge at a time as far as memory holds them, those included that still start") {
  Room room{.extras = 1, .coming = 1, .max_surge = 3, .available = 200, .one_worker = 100};
  CHECK(may_replace(Why::kRelease, room));
  CHECK(may_replace(Why::kStuck, room));
  room.available = 199;
  CHECK_FALSE(may_replace(Why::kRelease, room));
  room.coming = 0;  // it holds its own already
  CHECK(may_replace(Why::kRelease, room));
  room.extras = 3;
  CHECK_FALSE(may_replace(Why::kRelease, room));
}

TEST_CASE("a grace of nothing is over at once") {
  CHECK(verdict({.stuck_since = kThen}, kThen) == Verdict{.why = Why::kStuck});
}
