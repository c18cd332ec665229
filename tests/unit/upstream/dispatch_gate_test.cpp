// Paused, closed and sleeping apps, as their Dispatch sees them; and what it counts for those who decide how
// many workers there are.
#include "doctest_precompiled.h"
#include "herd.h"

using upstream::Acquired;
using upstream::Gate;
using upstream::Refusal;

namespace {

constexpr upstream::AppState in(Gate gate) {
  return {.has_been_ready = true, .gate = gate};
}

}  // namespace

TEST_CASE(
    "while it is paused requests wait although there are slots, in their order, and queue_timeout does not "
    "run") {
  Herd herd(1);
  herd.publish(1);
  Asker before(herd), first(herd), second(herd);
  REQUIRE(before.ask() == Acquired::kLeased);
  herd.dispatch->set_state(in(Gate::kPaused));
  REQUIRE(first.ask() == Acquired::kWaiting);
  REQUIRE(second.ask() == Acquired::kWaiting);
  CHECK(first.ticket.patience_ends() == runtime::Time::max());
  before.lease.give_back(true, true);
  herd.loop.turn(false);
  CHECK_FALSE(first.lease);
  CHECK(herd.board->app[0].queue == 2);
  CHECK(herd.board->app[0].waits_since == 0);  // more workers would not help

  herd.dispatch->set_state(in(Gate::kOpen));
  herd.loop.turn(false);
  CHECK(first.lease);
  CHECK_FALSE(second.lease);
  CHECK(second.ticket.patience_ends() <= runtime::Clock::now() + kQueueTimeout);
  CHECK(herd.board->app[0].waits_since != 0);
  CHECK(herd.board->app[0].late == 0);
  first.lease.give_back(true, true);
  herd.loop.turn(false);
  CHECK(second.lease);
}

TEST_CASE("who waits behind a pause of an app that goes is served while it has workers") {
  Herd herd(1);
  herd.publish(1);
  herd.dispatch->set_state(in(Gate::kPaused));
  Asker waits(herd);
  REQUIRE(waits.ask() == Acquired::kWaiting);
  herd.dispatch->configure(nullptr);
  herd.loop.turn(false);
  CHECK(waits.lease);
}

TEST_CASE("a pause holds no more than the queue does") {
  Herd herd(1, /*queue_size=*/1);
  herd.publish(1);
  herd.dispatch->set_state(in(Gate::kPaused));
  Asker first(herd), second(herd);
  CHECK(first.ask() == Acquired::kWaiting);
  CHECK(second.ask() == Acquired::kRefused);
  CHECK(second.ticket.refusal() == Refusal::kFull);
}

TEST_CASE("closed: who has a worker goes on, who waits or comes is refused, and hears why") {
  Herd herd(1);
  herd.publish(1);
  Asker served(herd), waits(herd), comes(herd), later(herd);
  REQUIRE(served.ask() == Acquired::kLeased);
  REQUIRE(waits.ask() == Acquired::kWaiting);
  upstream::AppState closed = in(Gate::kMaintenance);
  closed.notice = "back at nine";
  herd.dispatch->set_state(closed);
  herd.loop.turn(false);
  CHECK(waits.calls == 1);
  CHECK_FALSE(waits.lease);
  CHECK(waits.ticket.refusal() == Refusal::kClosed);
  CHECK(comes.ask() == Acquired::kRefused);
  CHECK(comes.ticket.refusal() == Refusal::kClosed);
  CHECK(herd.dispatch->notice() == "back at nine");
  CHECK(served.lease);
  served.lease.give_back(true, true);
  herd.dispatch->set_state(in(Gate::kOpen));
  CHECK(later.ask() == Acquired::kLeased);
}

TEST_CASE(
    "an app that is asleep is called for once, whoever waits has boot_timeout, and then queue_timeout") {
  Herd herd(1);
  int calls = 0;
  herd.dispatch->on_wanted([&](upstream::AppIndex) { ++calls; });
  herd.dispatch->set_state({.has_been_ready = true, .is_asleep = true});
  Asker first(herd), second(herd);
  const auto longest = [&] { return second.ticket.patience_ends() - runtime::Clock::now(); };
  CHECK(calls == 0);
  REQUIRE(first.ask() == Acquired::kWaiting);
  REQUIRE(second.ask() == Acquired::kWaiting);
  CHECK(calls == 1);
  CHECK(longest() > kQueueTimeout);
  herd.publish(1);
  herd.loop.turn(false);
  CHECK(first.lease);
  CHECK(longest() <= kQueueTimeout);

  first.lease.give_back(true, true);
  herd.loop.turn(false);
  second.lease.give_back(true, true);
  herd.dispatch->set_state({.has_been_ready = true, .is_asleep = true});
  herd.dispatch->unpublish(1, herd.loop, [] {});
  Asker third(herd);
  CHECK(third.ask() == Acquired::kWaiting);
  CHECK(calls == 2);
}

TEST_CASE("who waited before it fell asleep calls, too") {
  Herd herd(1);
  int calls = 0;
  herd.dispatch->on_wanted([&](upstream::AppIndex) { ++calls; });
  herd.publish(1);
  Asker served(herd), waits(herd);
  REQUIRE(served.ask() == Acquired::kLeased);
  REQUIRE(waits.ask() == Acquired::kWaiting);
  herd.dispatch->set_state({.has_been_ready = true, .is_asleep = true});
  CHECK(calls == 1);
}

TEST_CASE("leases for which one worker fewer would not have had a slot are counted") {
  Herd herd(2);
  herd.publish(1);
  herd.publish(2);
  std::deque<Asker> askers;
  std::vector<std::uint64_t> counts;
  for (int i = 0; i < 4; ++i) {
    REQUIRE(askers.emplace_back(herd).ask() == Acquired::kLeased);
    counts.push_back(herd.board->app[0].unspared);
  }
  CHECK(counts == std::vector<std::uint64_t>{0, 0, 1, 2});
}

TEST_CASE("with the last worker every lease is one") {
  Herd herd(2);
  herd.publish(1);
  Asker asker(herd);
  REQUIRE(asker.ask() == Acquired::kLeased);
  CHECK(herd.board->app[0].unspared == 1);
}

TEST_CASE(
    "a lease that comes after more than target_wait is counted, and since when the next one waits is said") {
  Herd herd(1);
  herd.app.target_wait = runtime::Milliseconds(-1);  // whoever waits at all
  herd.dispatch->configure(&herd.app);
  herd.publish(1);
  Asker first(herd), second(herd), third(herd);
  REQUIRE(first.ask() == Acquired::kLeased);
  CHECK(herd.board->app[0].waits_since == 0);
  REQUIRE(second.ask() == Acquired::kWaiting);
  REQUIRE(third.ask() == Acquired::kWaiting);
  const std::uint64_t since = herd.board->app[0].waits_since;
  CHECK(since != 0);
  CHECK(runtime::Time(runtime::Milliseconds(since)) <= runtime::Clock::now());
  CHECK(herd.board->app[0].late == 0);
  first.lease.give_back(true, true);
  CHECK(herd.board->app[0].late == 1);
  third.ticket.leave();
  CHECK(herd.board->app[0].waits_since == 0);
}
