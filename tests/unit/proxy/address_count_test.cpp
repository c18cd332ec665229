#include "proxy/address_count.h"

#include <arpa/inet.h>

#include "doctest_precompiled.h"
#include "proxy/byte_budget.h"
#include "proxy/unfinished_handshakes.h"

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

TEST_CASE("without a limit all are let in, and so are Unix sockets with one") {
  proxy::AddressCount unlimited(0);
  for (int i = 0; i < 100; ++i) CHECK(unlimited.enter(address("192.0.2.1")));
  proxy::AddressCount one(1);
  runtime::PeerAddress local;
  local.family = AF_UNIX;
  for (int i = 0; i < 100; ++i) CHECK(one.enter(local));
}

TEST_CASE("another limit counts all that are there, whenever they came") {
  proxy::AddressCount count(0);
  for (int i = 0; i < 3; ++i) CHECK(count.enter(address("192.0.2.1")));
  count.resize(3);
  CHECK_FALSE(count.enter(address("192.0.2.1")));
  count.leave(address("192.0.2.1"));
  CHECK(count.enter(address("192.0.2.1")));
}

TEST_CASE("a memory budget may become larger or smaller; what was given is not taken away") {
  proxy::ByteBudget budget(100);
  CHECK(budget.take(80));
  budget.resize(50);
  CHECK_FALSE(budget.take(1));
  CHECK(budget.used() == 80);
  budget.resize(200);
  CHECK_FALSE(budget.take(30, /*leaves_half=*/true));
  CHECK(budget.take(20, /*leaves_half=*/true));
}

TEST_CASE("a memory budget gives what it has, and again what it got back") {
  proxy::ByteBudget budget(100);
  CHECK(budget.take(60));
  CHECK_FALSE(budget.take(41));
  CHECK(budget.take(40));
  budget.give_back(60);
  CHECK(budget.used() == 40);
  CHECK(budget.take(60));
}

TEST_CASE("who does not finish handshakes may begin 200 at once and 20 a second more, and nobody else is held to that") {
  using namespace std::chrono_literals;
  proxy::UnfinishedHandshakes unfinished;
  const runtime::Time start = runtime::Time() + 1h;
  const auto flooder = address("192.0.2.1"), other = address("192.0.2.2");
  for (int i = 0; i < 300; ++i) CHECK(unfinished.begin(flooder, start));  // nothing is known of it
  unfinished.give_up(flooder, start);
  for (int i = 0; i < 200; ++i) CHECK(unfinished.begin(flooder, start));
  CHECK_FALSE(unfinished.begin(flooder, start));
  CHECK(unfinished.begin(other, start));
  CHECK(unfinished.begin(flooder, start + 50ms));
  CHECK_FALSE(unfinished.begin(flooder, start + 51ms));
  unfinished.finish(flooder);
  CHECK(unfinished.begin(flooder, start + 51ms));
}

TEST_CASE("more addresses than can be remembered are let in") {
  using namespace std::chrono_literals;
  proxy::UnfinishedHandshakes unfinished;
  const runtime::Time start = runtime::Time() + 1h;
  const auto begin_many = [&](const runtime::PeerAddress& peer, runtime::Time now) {
    unfinished.give_up(peer, now);
    for (int i = 0; i < 201; ++i) {
      if (!unfinished.begin(peer, now)) return false;
    }
    return true;
  };
  runtime::PeerAddress peer = address("10.0.0.0");
  for (int i = 0; i < 10'000; ++i) {
    peer.bytes[2] = static_cast<std::uint8_t>(i / 256);
    peer.bytes[3] = static_cast<std::uint8_t>(i % 256);
    unfinished.give_up(peer, start);
    unfinished.begin(peer, start);
  }
  CHECK(begin_many(address("192.0.2.1"), start));
  CHECK_FALSE(begin_many(address("192.0.2.1"), start + 1s));  // the others have been quiet: there is place again
}
