#include "proxy/address_count.h"

#include <arpa/inet.h>

#include "doctest_precompiled.h"
#include "proxy/memory_budget.h"

namespace {

runtime::PeerAddress address(const char* text) {
  runtime::PeerAddress made;
  made.family = std::string_view(text).find(':') == std::string_view::npos ? AF_INET : AF_INET6;
  REQUIRE(::inet_pton(made.family, text, made.bytes) == 1);
  return made;
}

}  // namespace

TEST_CASE("an address has so many connections and no more; an IPv6 client is its /64") {
  proxy::AddressCount count(2);
  for (const auto& [same, also, other] : {std::tuple("192.0.2.1", "192.0.2.1", "192.0.2.2"),
                                          std::tuple("2001:db8:0:1::1", "2001:db8:0:1::2", "2001:db8:0:2::1")}) {
    CAPTURE(same);
    CHECK(count.enter(address(same)));
    CHECK(count.enter(address(also)));
    CHECK_FALSE(count.enter(address(same)));
    CHECK(count.enter(address(other)));
    count.leave(address(also));
    CHECK(count.enter(address(same)));
    CHECK_FALSE(count.enter(address(same)));
  }
}

TEST_CASE("without a limit nobody is counted, and neither are Unix sockets") {
  proxy::AddressCount unlimited(0);
  for (int i = 0; i < 100; ++i) CHECK(unlimited.enter(address("192.0.2.1")));
  proxy::AddressCount one(1);
  runtime::PeerAddress local;
  local.family = AF_UNIX;
  for (int i = 0; i < 100; ++i) CHECK(one.enter(local));
}

TEST_CASE("a memory budget gives what it has, and again what it got back") {
  proxy::MemoryBudget budget(100);
  CHECK(budget.take(60));
  CHECK_FALSE(budget.take(41));
  CHECK(budget.take(40));
  budget.give_back(60);
  CHECK(budget.used() == 40);
  CHECK(budget.take(60));
}
