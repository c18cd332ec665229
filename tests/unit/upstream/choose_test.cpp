// Who gets the next request, reason by reason.
#include "upstream/choose.h"

#include <doctest/doctest.h>

#include <vector>

using upstream::Load;
using upstream::WorkerId;

namespace {

/// 0: nobody.
WorkerId chosen(std::vector<Load> loads, WorkerId tried = 0, bool is_suspect = false) {
  std::vector<Load*> list;
  for (Load& load : loads) list.push_back(&load);
  const Load* const best = upstream::choose(list, tried, is_suspect);
  return best != nullptr ? best->worker : 0;
}

}  // namespace

TEST_CASE("the one with the fewest in flight") {
  CHECK(chosen({{.worker = 1, .in_flight = 2, .slots = 4}, {.worker = 2, .in_flight = 1, .slots = 4, .last_used = 9}}) == 2);
}

TEST_CASE("among equals the least recently used") {
  CHECK(chosen({{.worker = 1, .slots = 4, .last_used = 9}, {.worker = 2, .slots = 4, .last_used = 8}}) == 2);
}

TEST_CASE("nobody whose slots are taken, nobody who leaves") {
  CHECK(chosen({{.worker = 1, .in_flight = 1, .slots = 1}}) == 0);
  CHECK(chosen({{.worker = 1, .slots = 1, .takes_work = false}}) == 0);
  CHECK(chosen({}) == 0);
}

TEST_CASE("what another front has in flight counts like our own") {
  CHECK(chosen({{.worker = 1, .in_flight = 1, .elsewhere = 3, .slots = 4}}) == 0);
  CHECK(chosen({{.worker = 1, .elsewhere = 2, .slots = 4}, {.worker = 2, .in_flight = 1, .slots = 4, .last_used = 9}}) == 2);
}

TEST_CASE("not the one that has had it") {
  CHECK(chosen({{.worker = 1, .slots = 4}, {.worker = 2, .in_flight = 3, .slots = 4}}, 1) == 2);
  CHECK(chosen({{.worker = 1, .slots = 4}}, 1) == 0);
}

TEST_CASE("a suspect only where no other one is; who is none goes everywhere") {
  const std::vector<Load> loads{{.worker = 1, .in_flight = 1, .slots = 4, .suspects = 1}, {.worker = 2, .in_flight = 3, .slots = 4}};
  CHECK(chosen(loads, 0, /*is_suspect=*/true) == 2);
  CHECK(chosen(loads, 2, /*is_suspect=*/true) == 0);
  CHECK(chosen(loads) == 1);
  const std::vector<Load> doubted{{.worker = 1, .slots = 4, .is_doubted = true}, {.worker = 2, .in_flight = 3, .slots = 4}};
  CHECK(chosen(doubted, 0, /*is_suspect=*/true) == 2);
  CHECK(chosen(doubted) == 1);
}
