#include "upstream/queue.h"

#include <array>

#include "doctest_precompiled.h"

namespace {

using upstream::Queue;
using upstream::Ticket;

runtime::AddressKey address(std::uint64_t n) { return {AF_INET, n}; }

struct Waiting {
  std::array<Ticket, 8> tickets{Ticket({}), Ticket({}), Ticket({}), Ticket({}), Ticket({}), Ticket({}), Ticket({}), Ticket({})};
  Queue queue;

  /// Serves them all; the order by their numbers.
  std::string served() {
    std::string order;
    while (Ticket* const ticket = queue.first()) {
      order += std::to_string(ticket - tickets.data());
      queue.served(*ticket);
    }
    return order;
  }
};

}  // namespace

TEST_CASE("one address: first come, first served") {
  Waiting it;
  for (Ticket& ticket : it.tickets) it.queue.enter(ticket, address(1));
  CHECK(it.queue.length() == 8);
  it.queue.leave(it.tickets[3]);
  CHECK(it.served() == "0124567");
  CHECK(it.queue.length() == 0);
  CHECK_FALSE(it.queue.has_first_attempts());
}

TEST_CASE("several addresses: by turns, each in its own order") {
  Waiting it;
  for (int i = 0; i < 5; ++i) it.queue.enter(it.tickets[i], address(1));
  it.queue.enter(it.tickets[5], address(2));
  it.queue.enter(it.tickets[6], address(2));
  it.queue.enter(it.tickets[7], address(3));
  CHECK(it.served() == "05716234");
}

TEST_CASE("an address whose last request leaves is out of the round, and comes back at its end") {
  Waiting it;
  it.queue.enter(it.tickets[0], address(1));
  it.queue.enter(it.tickets[1], address(2));
  it.queue.enter(it.tickets[2], address(3));
  it.queue.leave(it.tickets[0]);
  it.queue.enter(it.tickets[3], address(1));
  CHECK(it.served() == "123");
}

TEST_CASE("retries are counted, and stand apart") {
  Waiting it;
  it.queue.enter_again(it.tickets[0]);
  CHECK_FALSE(it.queue.has_first_attempts());
  CHECK(it.queue.first() == nullptr);
  CHECK(it.queue.first_retry() == &it.tickets[0]);
  it.queue.enter_again(it.tickets[1]);
  CHECK(it.queue.first_retry() == &it.tickets[0]);
  CHECK(it.queue.length() == 2);
  it.queue.leave(it.tickets[0]);
  it.queue.leave(it.tickets[1]);
  CHECK(it.queue.length() == 0);
}

TEST_CASE("in a full line who has most gives way, by the last that came, to who has less") {
  Waiting it;
  for (int i = 0; i < 3; ++i) it.queue.enter(it.tickets[i], address(1));
  for (int i = 3; i < 5; ++i) it.queue.enter(it.tickets[i], address(2));
  CHECK(it.queue.displaced_by(address(1)) == nullptr);
  CHECK(it.queue.displaced_by(address(2)) == nullptr);
  CHECK(it.queue.displaced_by(address(3)) == &it.tickets[2]);
  it.queue.leave(it.tickets[2]);
  it.queue.leave(it.tickets[1]);
  it.queue.leave(it.tickets[4]);
  CHECK(it.queue.displaced_by(address(3)) == nullptr);  // one each
}
