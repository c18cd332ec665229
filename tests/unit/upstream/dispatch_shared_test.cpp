// Two fronts that give work to the same worker: two Dispatches, each with its block of one scoreboard.
#include <atomic>
#include <thread>

#include "doctest_precompiled.h"
#include "unit/upstream/herd.h"
#include "upstream/scoreboard.h"

namespace {

using upstream::Acquired;
using upstream::Scoreboard;

/// One front of the supervisor's scoreboard, with an app of its own view.
struct Front {
  Front(Scoreboard& supervisor, const conf::App& app, upstream::Worker about)
      : block(*supervisor.begin_front()),
        scoreboard(std::move(*Scoreboard::adopt(runtime::duplicate(supervisor.fd())))),
        dispatch(std::make_unique<upstream::Dispatch>(0, scoreboard->board)) {
    dispatch->configure(&app);
    dispatch->share(scoreboard);
    desk = std::make_unique<upstream::Desk>(loop, *dispatch);
    dispatch->publish(about);
  }
  ~Front() {
    loop.turn(false);
    desk.reset();
    loop.turn(false);
  }
  std::size_t block;
  Scoreboard scoreboard;
  runtime::Loop loop;
  std::unique_ptr<upstream::Dispatch> dispatch;
  std::unique_ptr<upstream::Desk> desk;
};

struct Request {
  explicit Request(Front& f) : front(f), ticket(runtime::bind<&Request::on_leased>(this)) {}
  Acquired ask() {
    return front.dispatch->acquire(*front.desk, ticket, lease, {.queue_timeout = std::chrono::minutes(1)});
  }
  void on_leased(upstream::Lease& given) { lease = std::move(given); }
  Front& front;
  upstream::Ticket ticket;
  upstream::Lease lease;
};

/// One worker that listens.
struct Stage {
  explicit Stage(std::size_t concurrency) : herd(concurrency) {
    worker.slots = static_cast<std::uint32_t>(concurrency);
    worker.speech = upstream::speech_of(herd.app);
    worker.socket = herd.folder + "/worker";
    listener = std::move(*runtime::listen_unix(worker.socket, 0600));
    supervisor.clear_worker(worker.row);
    worker.slots = static_cast<std::uint32_t>(concurrency);
  }
  Herd herd;  // for its folder and its app
  Scoreboard supervisor = std::move(*Scoreboard::make());
  upstream::Worker worker{.id = 1, .slot = 1, .pid = 1, .row = 3, .socket = {}};
  runtime::Fd listener;
};

}  // namespace

TEST_CASE("what one front has taken is no slot for the other, which hears when it is free") {
  Stage stage(2);
  Front older(stage.supervisor, stage.herd.app, stage.worker);
  Front newer(stage.supervisor, stage.herd.app, stage.worker);
  Request first(older), second(newer), third(newer), fourth(older);
  REQUIRE(first.ask() == Acquired::kLeased);
  REQUIRE(second.ask() == Acquired::kLeased);
  REQUIRE(third.ask() == Acquired::kWaiting);
  REQUIRE(fourth.ask() == Acquired::kWaiting);
  CHECK(stage.supervisor.worker(3).busy == 2);
  first.lease.give_back(false);  // the older one's own line is first
  older.loop.turn(false);
  REQUIRE(fourth.lease);
  fourth.lease.give_back(false);
  while (!third.lease) newer.loop.turn(true);
  CHECK(stage.supervisor.worker(3).busy == 2);
}

TEST_CASE("a front that is alone keeps idle connections; one that makes way, or is not alone, keeps none") {
  Stage stage(1);
  Front older(stage.supervisor, stage.herd.app, stage.worker);
  Request first(older);
  REQUIRE(first.ask() == Acquired::kLeased);
  REQUIRE(first.lease.connect() != nullptr);
  first.lease.give_back(true);
  CHECK(older.scoreboard->board.worker[3].taken == 1);

  Front newer(stage.supervisor, stage.herd.app, stage.worker);
  Request second(newer);
  REQUIRE(second.ask() == Acquired::kWaiting);  // the idle connection has the slot
  older.dispatch->make_way();
  older.loop.turn(false);
  while (!second.lease) newer.loop.turn(true);
  REQUIRE(second.lease.connect() != nullptr);
  second.lease.give_back(true);
  CHECK(newer.scoreboard->board.worker[3].taken == 0);
}

TEST_CASE("what a front had taken is free when it has ended, and whoever is left waits for nobody") {
  Stage stage(1);
  Front newer(stage.supervisor, stage.herd.app, stage.worker);
  Request waiting(newer), next(newer);
  {
    Front older(stage.supervisor, stage.herd.app, stage.worker);
    Request last(older);
    REQUIRE(last.ask() == Acquired::kLeased);
    REQUIRE(waiting.ask() == Acquired::kWaiting);
    stage.supervisor.end_front(older.block);  // whatever its memory says: it has been reaped
  }
  while (!waiting.lease) newer.loop.turn(true);
  REQUIRE(waiting.lease.connect() != nullptr);
  waiting.lease.give_back(true);
  CHECK(newer.scoreboard->board.worker[3].taken == 1);  // idle connections are kept again
  CHECK(next.ask() == Acquired::kLeased);
}

TEST_CASE("a front that ends in the middle of taking a slot holds up nobody who has idle connections") {
  Stage stage(2);
  Front older(stage.supervisor, stage.herd.app, stage.worker);
  Request first(older), second(older), third(older);
  for (Request* request : {&first, &second}) {
    REQUIRE(request->ask() == Acquired::kLeased);
    REQUIRE(request->lease.connect() != nullptr);
  }
  first.lease.give_back(true);
  second.lease.give_back(true);

  Front newer(stage.supervisor, stage.herd.app, stage.worker);
  newer.scoreboard->board.worker[3].taken = 1;  // counted, and not yet taken back
  REQUIRE(third.ask() == Acquired::kWaiting);
  stage.supervisor.end_front(newer.block);
  while (!third.lease) older.loop.turn(true);
  CHECK(third.lease.is_connected());
}

TEST_CASE("who waits in one front's line gets a slot although the other's is never empty") {
  Stage stage(1);
  Front older(stage.supervisor, stage.herd.app, stage.worker);
  Front newer(stage.supervisor, stage.herd.app, stage.worker);
  Request late(older), one(newer), two(newer);
  REQUIRE(one.ask() == Acquired::kLeased);
  REQUIRE(late.ask() == Acquired::kWaiting);
  REQUIRE(two.ask() == Acquired::kWaiting);
  const auto end = runtime::Clock::now() + std::chrono::seconds(20);
  for (Request *has = &one, *waits = &two; !late.lease && runtime::Clock::now() < end;) {
    if (has->lease) {
      has->lease.give_back(false);
      if (has->ask() == Acquired::kWaiting) std::swap(has, waits);
    }
    newer.loop.turn(false);
    older.loop.turn(false);
  }
  CHECK(late.lease);
}

TEST_CASE("a front that cannot take what is left to it holds up nobody") {
  Stage stage(1);
  Front frozen(stage.supervisor, stage.herd.app, stage.worker);
  Front newer(stage.supervisor, stage.herd.app, stage.worker);
  frozen.scoreboard->board.app[0].waits_since = 1;
  Request one(newer), two(newer);
  REQUIRE(one.ask() == Acquired::kLeased);
  REQUIRE(two.ask() == Acquired::kWaiting);
  one.lease.give_back(false);
  while (!two.lease) newer.loop.turn(true);
}

TEST_CASE("a worker's end leaves nothing in a row that is the next one's") {
  Stage stage(2);
  Front front(stage.supervisor, stage.herd.app, stage.worker);
  Request first(front), second(front);
  REQUIRE(first.ask() == Acquired::kLeased);
  REQUIRE(second.ask() == Acquired::kLeased);
  front.dispatch->ended(1, true);
  first.lease.give_back(false);
  CHECK(front.scoreboard->board.worker[3].taken == 0);
  CHECK(front.scoreboard->board.worker[3].busy == 0);
}

TEST_CASE("two fronts at the same time never have more leases or connections than the worker has slots") {
  constexpr int kTurns = 2000;
  Stage stage(3);
  Front older(stage.supervisor, stage.herd.app, stage.worker);
  Front newer(stage.supervisor, stage.herd.app, stage.worker);
  std::atomic<int> in_use = 0, most = 0;
  const auto serve = [&](Front& front) {
    std::vector<std::unique_ptr<Request>> requests;
    for (int i = 0; i < 4; ++i) requests.push_back(std::make_unique<Request>(front));
    std::vector<bool> is_held(requests.size(), false);
    for (int served = 0; served < kTurns;) {
      for (std::size_t i = 0; i < requests.size(); ++i) {
        Request& request = *requests[i];
        if (is_held[i]) {
          --in_use;
          is_held[i] = false;
          request.lease.give_back(false);
          ++served;
        } else if (request.lease || (!request.ticket.is_waiting() && request.ask() == Acquired::kLeased)) {
          is_held[i] = true;
          const int now = ++in_use;
          for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {}
        }
      }
      front.loop.turn(false);
    }
    for (std::size_t i = 0; i < requests.size(); ++i) {
      if (is_held[i]) --in_use;
    }
  };
  std::thread other([&] { serve(older); });
  serve(newer);
  other.join();
  CHECK(most <= 3);
  CHECK(most > 0);
}

TEST_CASE("of two fronts that ask for the last slot in the same moment at most one has it") {
  constexpr int kRounds = 20'000;
  Stage stage(1);
  Front older(stage.supervisor, stage.herd.app, stage.worker);
  Front newer(stage.supervisor, stage.herd.app, stage.worker);
  std::atomic<int> arrived = 0, have_it = 0, both = 0, some = 0;
  // Not a barrier that sleeps: they are to leave it together.
  const auto meet = [&](int number) {
    ++arrived;
    while (arrived < 2 * number) std::this_thread::yield();
  };
  const auto race = [&](Front& front, bool counts) {
    for (int round = 0; round < kRounds; ++round) {
      Request request(front);
      meet(3 * round + 1);
      if (request.ask() == Acquired::kLeased) ++have_it;
      meet(3 * round + 2);
      if (counts) {
        const int now = have_it.exchange(0);
        both += now > 1;
        some += now > 0;
      }
      meet(3 * round + 3);
    }
  };
  std::thread other([&] { race(older, false); });
  race(newer, true);
  other.join();
  CHECK(both == 0);
  CHECK(some > 0);
}
