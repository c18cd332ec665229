#include "upstream/losses.h"

#include "doctest_precompiled.h"

using runtime::Milliseconds;
using runtime::Time;

TEST_CASE("what was lost long ago is forgotten, and so is the oldest of too many") {
  const auto at = [](int ms) { return Time(Milliseconds(ms)); };
  upstream::Losses losses;
  CHECK(losses.dispatched(at(0)).empty());
  losses.add(at(1), at(10), 2);
  losses.add(at(2), at(20), 2);
  CHECK(losses.dispatched(at(10)) == std::vector{at(1), at(2)});
  CHECK(losses.dispatched(at(11)) == std::vector{at(2)});
  losses.add(at(3), at(30), 2);
  CHECK(losses.dispatched(at(0)) == std::vector{at(2), at(3)});
}
