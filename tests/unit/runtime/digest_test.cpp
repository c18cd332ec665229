#include "runtime/digest.h"

#include <array>

#include "doctest_precompiled.h"

using runtime::Digest;

TEST_CASE("a text has the number that FNV-1a gives it everywhere") {
  static_assert(Digest().value() == 0xcbf29ce484222325);
  static_assert(Digest().add("a").value() == 0xaf63dc4c8601ec8c);
  static_assert(Digest().add("foobar").value() == 0x85944171f73967e8);
  CHECK(Digest().add("foo").add("bar").value() == Digest().add("foobar").value());
}

TEST_CASE("the order of numbers counts, and where one of several texts ends") {
  CHECK(Digest().add({1, 2}).value() != Digest().add({2, 1}).value());
  constexpr std::array<std::string_view, 2> kOne{"ab", "c"}, kOther{"a", "bc"};
  CHECK(Digest().add_all(kOne).value() != Digest().add_all(kOther).value());
}
