#include "upstream/dispatch.h"

#include <thread>

#include "doctest_precompiled.h"
#include "unit/upstream/herd.h"

namespace {

using namespace std::chrono_literals;
using upstream::Acquired;
using upstream::Refusal;
using upstream::Lease;
using upstream::Ticket;

}  // namespace

TEST_CASE("a request takes the worker with the fewest in flight, among equals the least recently used") {
  Herd herd(2);
  for (upstream::WorkerId id : {1, 2, 3}) herd.publish(id);
  std::vector<std::unique_ptr<Asker>> askers;
  std::vector<upstream::WorkerId> order;
  for (int i = 0; i < 6; ++i) {
    askers.push_back(std::make_unique<Asker>(herd));
    REQUIRE(askers.back()->ask() == Acquired::kLeased);
    order.push_back(askers.back()->lease.worker().id);
  }
  CHECK(order == std::vector<upstream::WorkerId>{1, 2, 3, 1, 2, 3});
  askers[4]->lease.give_back(false);  // worker 2 has one left
  Asker next(herd);
  REQUIRE(next.ask() == Acquired::kLeased);
  CHECK(next.lease.worker().id == 2);
  CHECK(herd.board->app[0].busy == 6);
}

TEST_CASE("who finds no slot waits in line, first come first served, and is called from the loop") {
  Herd herd(1);
  herd.publish(1);
  Asker first(herd), second(herd), third(herd);
  REQUIRE(first.ask() == Acquired::kLeased);
  REQUIRE(second.ask() == Acquired::kWaiting);
  REQUIRE(third.ask() == Acquired::kWaiting);
  CHECK(herd.board->app[0].queue == 2);
  first.lease.give_back(false);
  CHECK(second.calls == 0);  // never from inside give_back()
  herd.loop.turn(false);
  CHECK(second.calls == 1);
  CHECK(second.lease);
  CHECK(third.calls == 0);
  second.lease.give_back(false);
  herd.loop.turn(false);
  CHECK(third.calls == 1);
  CHECK(herd.board->app[0].queue == 0);
}

TEST_CASE("the line is bounded") {
  Herd herd(1, 1);
  herd.publish(1);
  Asker first(herd), second(herd), third(herd);
  CHECK(first.ask() == Acquired::kLeased);
  CHECK(second.ask() == Acquired::kWaiting);
  CHECK(third.ask() == Acquired::kRefused);
  CHECK(third.ticket.refusal() == Refusal::kFull);
}

TEST_CASE("a retry does not wait for another worker where none will come") {
  Herd herd(1);
  herd.app.command.clear();  // a `proxy` app: nobody starts workers for it
  herd.dispatch->configure(&herd.app);
  herd.publish(1);
  Asker retry(herd);
  CHECK(retry.ask(/*tried=*/1) == Acquired::kRefused);
  CHECK(retry.ticket.refusal() == Refusal::kNoOther);
}

TEST_CASE("a suspect waits for a worker without another one, and nobody waits behind it") {
  Herd herd(3);
  herd.publish(1);
  herd.publish(2);
  Asker first(herd), second(herd), third(herd), innocent(herd), last(herd);
  REQUIRE(first.ask(0, /*is_suspect=*/true) == Acquired::kLeased);
  REQUIRE(second.ask(0, /*is_suspect=*/true) == Acquired::kLeased);
  CHECK(first.lease.worker().id != second.lease.worker().id);
  REQUIRE(third.ask(0, /*is_suspect=*/true) == Acquired::kWaiting);
  CHECK(innocent.ask() == Acquired::kLeased);
  second.lease.give_back(false);
  herd.loop.turn(false);
  REQUIRE(third.calls == 1);
  REQUIRE(last.ask(0, /*is_suspect=*/true) == Acquired::kWaiting);
  Lease moved = std::move(third.lease);
  moved.give_back(false);
  herd.loop.turn(false);
  CHECK(last.calls == 1);
}

TEST_CASE("a worker that has lost a request is given to a suspect when it has answered") {
  Herd herd(3);
  herd.publish(1);
  Asker suspect(herd), other(herd);
  herd.desk->doubt(1);
  REQUIRE(suspect.ask(0, /*is_suspect=*/true) == Acquired::kWaiting);
  REQUIRE(other.ask() == Acquired::kLeased);
  other.lease.give_back(true);
  herd.loop.turn(false);
  CHECK(suspect.calls == 1);
}

TEST_CASE("a worker that has lost a request is given to a suspect when nobody has said that it is dead") {
  Herd herd(3);
  herd.publish(1);
  Asker suspect(herd);
  herd.desk->doubt(1);
  REQUIRE(suspect.ask(0, /*is_suspect=*/true) == Acquired::kWaiting);
  while (suspect.calls == 0) herd.loop.turn(true);
}

TEST_CASE("a suspect that is granted a worker and leaves makes room for the next one") {
  Herd herd(3);
  herd.publish(1);
  Asker first(herd), third(herd);
  auto second = std::make_unique<Asker>(herd);
  REQUIRE(first.ask(0, /*is_suspect=*/true) == Acquired::kLeased);
  REQUIRE(third.ask(0, /*is_suspect=*/true) == Acquired::kWaiting);
  REQUIRE(second->ask(0, /*is_suspect=*/true) == Acquired::kWaiting);  // a retry: goes first
  first.lease.give_back(false);
  second.reset();
  herd.loop.turn(false);
  CHECK(third.calls == 1);
}

TEST_CASE("how a worker has ended is known when it was said, and who waits for the word is called from the loop") {
  Herd herd(1);
  struct Waiting {
    int calls = 0;
    void on_word() { ++calls; }
  } waiting, other;
  upstream::Inquest inquest(runtime::bind<&Waiting::on_word>(&waiting)), of_another(runtime::bind<&Waiting::on_word>(&other));
  inquest.open(*herd.desk, 7);
  of_another.open(*herd.desk, 8);
  CHECK(herd.dispatch->death_of(7) == upstream::Death::kUnknown);
  herd.dispatch->ended(7, /*unexpected=*/true);
  CHECK(herd.dispatch->death_of(7) == upstream::Death::kUnexplained);
  CHECK(waiting.calls == 0);
  herd.loop.turn(false);
  CHECK(waiting.calls == 1);
  CHECK(other.calls == 0);
  of_another.close();
  herd.dispatch->ended(8, /*unexpected=*/false);
  herd.loop.turn(false);
  CHECK(herd.dispatch->death_of(8) == upstream::Death::kAskedFor);
  CHECK(other.calls == 0);
}

TEST_CASE("deaths are remembered in a bounded memory") {
  upstream::Deaths deaths;
  for (upstream::WorkerId id = 1; id <= upstream::Deaths::kMost + 1; ++id) deaths.add(id, true);
  CHECK(deaths.of(1) == upstream::Death::kUnknown);
  CHECK(deaths.of(2) == upstream::Death::kUnexplained);
  CHECK(deaths.of(upstream::Deaths::kMost + 1) == upstream::Death::kUnexplained);
}

TEST_CASE("who leaves the line is never given a slot, and one that was just granted goes to the next") {
  Herd herd(1);
  herd.publish(1);
  Asker first(herd), third(herd);
  REQUIRE(first.ask() == Acquired::kLeased);
  auto second = std::make_unique<Asker>(herd);
  REQUIRE(second->ask() == Acquired::kWaiting);
  REQUIRE(third.ask() == Acquired::kWaiting);
  first.lease.give_back(false);  // granted to second, not yet told
  second.reset();
  herd.loop.turn(false);
  CHECK(third.calls == 1);
}

TEST_CASE("a connection goes home and is used again; never more are open than slots") {
  Herd herd(2);
  herd.publish(1);
  for (int i = 0; i < 100; ++i) {
    Asker asker(herd);
    REQUIRE(asker.ask() == Acquired::kLeased);
    REQUIRE(asker.lease.connect() != nullptr);
    asker.lease.give_back(true);
    herd.loop.turn(false);
  }
  CHECK(herd.board->worker[1].connects == 1);
}

TEST_CASE("a connection that was let go calls nobody, although its socket has become readable in the same turn") {
  Herd herd(1);
  herd.publish(1);
  Asker asker(herd);
  REQUIRE(asker.ask() == Acquired::kLeased);
  struct Counter {
    int calls = 0;
    void on_event() { ++calls; }
  } counter;
  upstream::Connection* const connection = asker.lease.connect();
  REQUIRE(connection != nullptr);
  connection->watch().rebind(runtime::bind<&Counter::on_event>(&counter), runtime::bind<&Counter::on_event>(&counter));
  connection->watch().want_read(true);
  connection->watch().want_write(true);
  runtime::PeerAddress nobody;
  const runtime::Fd worker = runtime::accept_from(herd.listeners[0].get(), nobody);
  REQUIRE(::send(worker.get(), "late", 4, MSG_NOSIGNAL) == 4);
  asker.lease.give_back(false);
  herd.loop.turn(false);
  CHECK(counter.calls == 0);
}

TEST_CASE("idle connections are closed when their time has come, and the loop rests until then") {
  Herd herd(2);
  herd.publish(1);
  Asker first(herd), second(herd);
  for (Asker* const asker : {&first, &second}) {
    REQUIRE(asker->ask() == Acquired::kLeased);
    REQUIRE(asker->lease.connect() != nullptr);
  }
  first.lease.give_back(true);
  struct Later {
    Asker& asker;
    void give_back() { asker.lease.give_back(true); }
  } later{second};
  runtime::Timer timer(herd.loop, runtime::bind<&Later::give_back>(&later));
  timer.arm(500ms);  // so that one is still young when the other one is closed
  const std::uint64_t before = herd.loop.turns();
  runtime::PeerAddress nobody;
  const runtime::Fd one = runtime::accept_from(herd.listeners[0].get(), nobody);
  const runtime::Fd two = runtime::accept_from(herd.listeners[0].get(), nobody);
  const auto are_closed = [&] {
    char byte = 0;
    return ::recv(one.get(), &byte, 1, MSG_DONTWAIT) == 0 && ::recv(two.get(), &byte, 1, MSG_DONTWAIT) == 0;
  };
  while (!are_closed()) herd.loop.turn();
  CHECK(herd.loop.turns() - before < 30);
}

TEST_CASE("another thread takes an idle connection over when no more may be opened") {
  Herd herd(1);
  herd.publish(1);
  {
    Asker asker(herd);
    REQUIRE(asker.ask() == Acquired::kLeased);
    REQUIRE(asker.lease.connect() != nullptr);
    asker.lease.give_back(true);
  }
  std::thread other([&] {
    runtime::Loop loop;
    upstream::Desk desk(loop, *herd.dispatch);
    Asker asker(herd);
    REQUIRE(herd.dispatch->acquire(desk, asker.ticket, asker.lease, {}) == Acquired::kLeased);
    REQUIRE(asker.lease.connect() != nullptr);
    CHECK(asker.lease.connection().is_reused());
    asker.lease.give_back(false);
    loop.turn(false);
  });
  other.join();
  herd.loop.turn(false);
  CHECK(herd.board->worker[1].connects == 1);
}

TEST_CASE("a worker that has ended fails its leases at once, although somebody still holds its socket") {
  Herd herd(1);
  herd.publish(1);
  Asker asker(herd);
  REQUIRE(asker.ask() == Acquired::kLeased);
  REQUIRE(asker.lease.connect() != nullptr);
  herd.dispatch->ended(1, /*unexpected=*/true);
  runtime::Bytes n = 0;
  char byte;
  CHECK(asker.lease.connection().read({&byte, 1}, n) == runtime::Io::kClosed);
}

TEST_CASE("a worker that is leaving takes no new request and is drained when its last lease has ended") {
  Herd herd(1);
  herd.publish(1);
  Asker running(herd), waiting(herd);
  REQUIRE(running.ask() == Acquired::kLeased);
  bool drained = false;
  herd.dispatch->unpublish(1, herd.loop, [&] { drained = true; });
  CHECK(waiting.ask() == Acquired::kWaiting);
  herd.loop.turn(false);
  CHECK(!drained);
  running.lease.give_back(true);
  herd.loop.turn(false);
  CHECK(drained);
  CHECK(waiting.calls == 0);
  herd.publish(2);
  herd.loop.turn(false);
  CHECK(waiting.lease.worker().id == 2);
}

TEST_CASE("a retry goes to another worker, before those who have not had their turn") {
  Herd herd(1);
  herd.publish(1);
  Asker first(herd), second(herd), retry(herd);
  REQUIRE(first.ask() == Acquired::kLeased);
  REQUIRE(second.ask() == Acquired::kWaiting);
  REQUIRE(retry.ask(/*tried=*/1) == Acquired::kWaiting);
  herd.publish(2);
  herd.loop.turn(false);
  CHECK(retry.calls == 1);
  CHECK(retry.lease.worker().id == 2);
  CHECK(second.calls == 0);
}

TEST_CASE("a retry that waits for another worker keeps nobody from the one that is free") {
  Herd herd(1);
  herd.publish(1);
  Asker retry(herd), other(herd);
  REQUIRE(retry.ask(/*tried=*/1) == Acquired::kWaiting);
  CHECK(other.ask() == Acquired::kLeased);
  other.lease.give_back(true);
  CHECK(other.ask() == Acquired::kLeased);
  herd.publish(2);
  herd.loop.turn(false);
  CHECK(retry.lease.worker().id == 2);
}

TEST_CASE("requests wait while an app starts, and are refused when its first boot has failed") {
  Herd herd(1);
  Asker early(herd), late(herd);
  REQUIRE(early.ask() == Acquired::kWaiting);
  CHECK(early.ticket.patience_ends() == herd.loop.now() + herd.app.boot_timeout);
  herd.dispatch->set_state({.can_wait = false});
  herd.loop.turn(false);
  CHECK(early.calls == 1);
  CHECK(!early.lease);
  CHECK(early.ticket.refusal() == Refusal::kNotBooted);
  CHECK(late.ask() == Acquired::kRefused);
  CHECK(late.ticket.refusal() == Refusal::kNotBooted);
  herd.publish(1);
  CHECK(late.ask() == Acquired::kLeased);
  CHECK(early.ask() == Acquired::kWaiting);
  CHECK(early.ticket.patience_ends() >= herd.loop.now() + kQueueTimeout);
  CHECK(early.ticket.patience_ends() < herd.loop.now() + herd.app.boot_timeout);
}

TEST_CASE("a front that comes later knows that a worker has been ready: requests wait queue_timeout, no longer") {
  Herd herd(1);
  Asker asker(herd);
  herd.dispatch->set_state({.has_been_ready = true});
  CHECK(asker.ask() == Acquired::kWaiting);
  CHECK(asker.ticket.patience_ends() == herd.loop.now() + kQueueTimeout);
  herd.dispatch->set_state({});
  Asker later(herd);
  CHECK(later.ask() == Acquired::kWaiting);
  CHECK(later.ticket.patience_ends() == herd.loop.now() + kQueueTimeout);  // what was, was
}

TEST_CASE("who waits for the app to start has queue_timeout from the moment it has started") {
  Herd herd(1);
  Asker first(herd), second(herd);
  REQUIRE(first.ask() == Acquired::kWaiting);
  REQUIRE(second.ask() == Acquired::kWaiting);
  const runtime::Time came = herd.loop.now();
  const runtime::Time started = runtime::Clock::now();
  herd.publish(1);
  CHECK(second.ticket.patience_ends() >= std::max(came, started) + kQueueTimeout);
  CHECK(second.ticket.patience_ends() < came + herd.app.boot_timeout);
}

TEST_CASE("what the settings say of the line counts from then on, and who waits in it stays") {
  Herd herd(1, /*queue_size=*/1);
  Asker first(herd), second(herd), third(herd);
  REQUIRE(first.ask() == Acquired::kWaiting);
  CHECK(second.ask() == Acquired::kRefused);
  herd.app.queue_size = 2;
  herd.dispatch->configure(&herd.app);
  CHECK(second.ask() == Acquired::kWaiting);
  herd.app.queue_size = 1;
  herd.dispatch->configure(&herd.app);
  CHECK(third.ask() == Acquired::kRefused);
  CHECK(herd.dispatch->figures().queue == 2);
}

TEST_CASE("a worker has its own slots and its own speech, whatever its app has by now") {
  Herd herd(1);
  herd.publish(1);
  herd.app.concurrency = 2;
  herd.app.command.clear();
  herd.app.wsgi = "app:app";
  herd.publish(2);
  CHECK(herd.dispatch->figures().slots == 3);
  Asker a(herd), b(herd), c(herd), d(herd);
  for (Asker* asker : {&a, &b, &c}) REQUIRE(asker->ask() == Acquired::kLeased);
  CHECK(d.ask() == Acquired::kWaiting);
  CHECK(a.lease.worker().speech == upstream::Speech::kHttp);
  CHECK(b.lease.worker().speech == upstream::Speech::kWorkerProtocol);
}

TEST_CASE("an app that has gone serves who had found it while it has workers; then it refuses, until the next one comes") {
  Herd herd(1);
  herd.publish(1);
  Asker busy(herd), next(herd), last(herd), late(herd);
  REQUIRE(busy.ask() == Acquired::kLeased);
  REQUIRE(next.ask() == Acquired::kWaiting);
  REQUIRE(last.ask() == Acquired::kWaiting);
  herd.dispatch->configure(nullptr);
  busy.lease.give_back(false);
  herd.loop.turn(false);
  CHECK(next.lease);
  herd.dispatch->unpublish(1, herd.loop, [] {});
  herd.loop.turn(false);
  CHECK(last.calls == 1);
  CHECK_FALSE(last.lease);
  CHECK(last.ticket.refusal() == Refusal::kGone);
  CHECK(late.ask() == Acquired::kRefused);
  CHECK(late.ticket.refusal() == Refusal::kGone);
  CHECK(next.lease);  // it keeps its slot

  herd.dispatch->configure(&herd.app);
  CHECK(late.ask() == Acquired::kWaiting);
  CHECK(late.ticket.patience_ends() == herd.loop.now() + herd.app.boot_timeout);  // another app, and it boots
}

TEST_CASE("while two client addresses wait, they take turns, and neither has the whole line") {
  Herd herd(1, /*queue_size=*/3);
  herd.publish(1);
  Asker busy(herd), a(herd, 1), b(herd, 1), c(herd, 1), other(herd, 2), one_more(herd, 1);
  REQUIRE(busy.ask() == Acquired::kLeased);
  for (Asker* asker : {&a, &b, &c}) REQUIRE(asker->ask() == Acquired::kWaiting);
  CHECK(one_more.ask() == Acquired::kRefused);
  REQUIRE(other.ask() == Acquired::kWaiting);  // in the place of the last of those who have most
  herd.loop.turn(false);
  CHECK(c.calls == 1);
  CHECK(!c.lease);
  CHECK(c.ticket.refusal() == Refusal::kFull);
  busy.lease.give_back(false);
  herd.loop.turn(false);
  REQUIRE(a.lease);
  a.lease.give_back(false);
  herd.loop.turn(false);
  REQUIRE(other.lease);
  other.lease.give_back(false);
  herd.loop.turn(false);
  CHECK(b.lease);
}

TEST_CASE("that a worker has had its requests is said once, and it serves on") {
  Herd herd(2);
  std::vector<upstream::WorkerId> spent;
  herd.dispatch->on_spent([&](const upstream::Worker& worker) { spent.push_back(worker.id); });
  herd.publish(1, /*max_requests=*/2);
  for (int i = 0; i < 4; ++i) {
    Asker asker(herd);
    REQUIRE(asker.ask() == Acquired::kLeased);
    REQUIRE(asker.lease.connect() != nullptr);
    CHECK(spent.size() == (i < 2 ? 0 : 1));
    asker.lease.give_back(true);
  }
  CHECK(spent == std::vector<upstream::WorkerId>{1});
}

TEST_CASE("a lease that never reached the worker is none of its requests") {
  Herd herd(1);
  std::size_t told = 0;
  herd.dispatch->on_spent([&](const upstream::Worker&) { ++told; });
  herd.publish(1, /*max_requests=*/1);
  Asker asker(herd);
  REQUIRE(asker.ask() == Acquired::kLeased);
  asker.lease.give_back(false);
  CHECK(told == 0);
}

TEST_CASE("of a worker that has ended it is known when its requests were dispatched, those lost just now included") {
  Herd herd(3);
  herd.publish(1);
  Asker lost(herd), answered(herd), held(herd);
  for (Asker* asker : {&lost, &answered, &held}) {
    REQUIRE(asker->ask() == Acquired::kLeased);
    REQUIRE(asker->lease.connect() != nullptr);
  }
  lost.lease.give_back(false);  // its thread has seen the end of the connection before the word came
  answered.lease.give_back(false, /*has_answered=*/true);
  CHECK(herd.dispatch->ended(1, /*unexpected=*/true).size() == 2);
  CHECK(herd.dispatch->ended(7, /*unexpected=*/true).empty());
}

TEST_CASE("served is what a worker has answered to the end, and nothing that its row's next owner has not") {
  Herd herd(2);
  herd.publish(1);
  Asker first(herd), second(herd), third(herd);
  REQUIRE(first.ask() == Acquired::kLeased);
  first.lease.give_back(false, /*has_answered=*/true);
  REQUIRE(second.ask() == Acquired::kLeased);
  second.lease.give_back(false);
  CHECK(herd.board->worker[1].served == 1);
  REQUIRE(third.ask() == Acquired::kLeased);
  herd.dispatch->ended(1, true);
  third.lease.give_back(false, /*has_answered=*/true);
  CHECK(herd.board->worker[1].served == 1);
}

TEST_CASE("what a worker has served before counts, and who has had too many already is told after the next one") {
  upstream::Scoreboard scoreboard = std::move(*upstream::Scoreboard::make());
  REQUIRE(scoreboard.begin_front().has_value());
  Herd herd(1);
  herd.dispatch->share(scoreboard);
  std::size_t told = 0;
  herd.dispatch->on_spent([&](const upstream::Worker&) { ++told; });
  for (const std::uint64_t before : {9, 20}) {
    const upstream::WorkerId id = before;
    scoreboard->board.worker[id].served = before;
    herd.publish(id, /*max_requests=*/10);
    Asker asker(herd);
    REQUIRE(asker.ask() == Acquired::kLeased);
    REQUIRE(asker.lease.connect() != nullptr);
    asker.lease.give_back(true);
    CHECK(told == (before == 9 ? 1 : 2));
    herd.dispatch->ended(id, false);
  }
}
