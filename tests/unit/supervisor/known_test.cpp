#include "supervisor/known.h"

#include "doctest_precompiled.h"

using supervisor::Known;
using upstream::Order;

namespace {

upstream::Worker worker(upstream::WorkerId id) {
  return {.id = id, .app = 4, .slot = 1, .socket = "s"};
}

std::vector<std::string> texts(const std::vector<Order>& orders) {
  std::vector<std::string> all;
  for (const Order& order : orders) all.push_back(upstream::encode(order));
  return all;
}

const Order kHasBeenReady = upstream::AppState{.app = 4, .can_wait = true, .has_been_ready = true};

}  // namespace

TEST_CASE("a new front is told of the workers that take work, and that their app has been ready") {
  Known known;
  for (const upstream::WorkerId id : {1, 2, 3}) known.note(upstream::Publish{worker(id)});
  known.note(upstream::Unpublish{4, 1});
  known.note(upstream::Ended{4, 2});
  CHECK(texts(known.roster()) == texts({kHasBeenReady, upstream::Publish{worker(3)}}));
  known.note(upstream::Ended{4, 3});
  CHECK(texts(known.roster()) == texts({kHasBeenReady}));
  known.forget(4);
  CHECK(known.roster().empty());
}

TEST_CASE("a first boot that has failed is known until a worker is ready") {
  Known known;
  const upstream::AppState failed{.app = 4, .can_wait = false};
  known.note(failed);
  CHECK(texts(known.roster()) == texts({failed}));
  known.note(upstream::Publish{worker(1)});
  CHECK(texts(known.roster()) == texts({kHasBeenReady, upstream::Publish{worker(1)}}));
}

TEST_CASE("who is asked whether it is ready is known until it is, or has ended") {
  Known known;
  for (const upstream::WorkerId id : {1, 2, 3}) known.note(upstream::Probe{worker(id), "/healthz"});
  known.note(upstream::Publish{worker(1)});
  known.note(upstream::Ended{4, 2});
  CHECK(texts(known.probes()) == texts({upstream::Probe{worker(3), "/healthz"}}));
  known.note(upstream::Probed{.app = 4, .worker = 3});
  CHECK(known.probes().size() == 1);
  known.note(upstream::Probed{.app = 4, .worker = 3, .is_ready = true});
  CHECK(known.probes().empty());
}

TEST_CASE("a worker that is asked once is known until the answer, whatever it is, or until it leaves") {
  Known known;
  for (const upstream::WorkerId id : {1, 2}) known.note(upstream::Probe{worker(id), "/healthz", 5});
  known.note(upstream::Probed{.app = 4, .worker = 1});
  known.note(upstream::Unpublish{4, 2});
  CHECK(known.probes().empty());
}

TEST_CASE("a worker that is published ends a sleep, and opens no gate") {
  Known known;
  known.note(upstream::AppState{.app = 4, .is_asleep = true, .gate = upstream::Gate::kMaintenance, .notice = "back at nine"});
  known.note(upstream::Publish{worker(1)});
  const Order state = upstream::AppState{
      .app = 4, .has_been_ready = true, .gate = upstream::Gate::kMaintenance, .notice = "back at nine"};
  CHECK(texts(known.roster()) == texts({state, upstream::Publish{worker(1)}}));
}
