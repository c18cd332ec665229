// Whom a request is from, by what trusted proxies say.
#include "proxy/origin.h"

#include <sys/socket.h>

#include "doctest_precompiled.h"
#include "upstream/grammar.h"

using namespace proxy;

namespace {

using Pairs = std::vector<std::pair<std::string_view, std::string_view>>;

std::vector<conf::Network> networks(std::initializer_list<const char*> texts) {
  std::vector<conf::Network> all;
  for (const char* text : texts) all.push_back(*conf::parse_network(text));
  return all;
}

ClientFacts from(const char* address, bool is_tls = false) {
  ClientFacts client;
  client.is_tls = is_tls;
  client.peer.family = AF_UNIX;
  if (*address != '\0') client.peer = *runtime::parse_peer_address(AF_INET, address, 4711);
  return client;
}

Origin told(const Pairs& pairs, const ClientFacts& client, const std::vector<conf::Network>& trusted) {
  upstream::RequestHead head;
  for (const auto& [name, value] : pairs) head.fields.push_back({name, value, upstream::identify(name)});
  return origin_of(head, client, trusted);
}

std::string client_of(std::string_view forwarded_for) {
  return told({{"X-Forwarded-For", forwarded_for}}, from("10.0.0.1"), networks({"10.0.0.0/8"})).client.text();
}

bool is_tls(const Pairs& pairs, bool was_tls = false) {
  return told(pairs, from("10.0.0.1", was_tls), networks({"10.0.0.0/8"})).is_tls;
}

}  // namespace

TEST_CASE("who is not trusted is who it is, whatever it says") {
  for (const auto& trusted : {networks({}), networks({"192.0.2.1", "unix:"})}) {
    const Origin origin = told({{"X-Forwarded-For", "203.0.113.9"}, {"X-Forwarded-Proto", "https"}}, from("10.0.0.1"), trusted);
    CHECK(origin.client == from("10.0.0.1").peer);
    CHECK_FALSE(origin.is_tls);
  }
}

TEST_CASE("the client is the last address that is no trusted proxy's: what stands before it he may have said himself") {
  CHECK(client_of("203.0.113.9") == "203.0.113.9");
  CHECK(client_of("198.51.100.1, 203.0.113.9, 10.1.2.3") == "203.0.113.9");
  CHECK(client_of("10.9.9.9 ,10.1.2.3") == "10.9.9.9");
  CHECK(told({{"X-Forwarded-For", "203.0.113.9"}, {"Accept", "*/*"}, {"X-Forwarded-For", "10.2.2.2"}}, from("10.0.0.1"),
             networks({"10.0.0.0/8"}))
            .client.text() == "203.0.113.9");
}

TEST_CASE("addresses as proxies write them; what is none ends the search") {
  CHECK(client_of("203.0.113.9:1234") == "203.0.113.9");
  CHECK(client_of("2001:db8::1") == "2001:db8::1");
  CHECK(client_of("[2001:db8::1]:443") == "2001:db8::1");
  CHECK(client_of("203.0.113.9, unknown, 10.1.1.1") == "10.1.1.1");
  for (const std::string_view nobody : {"", ",", "unknown", "[::1", "203.0.113.9.9"}) CHECK(client_of(nobody) == "10.0.0.1");
}

TEST_CASE("no list is walked without end") {
  std::string list = "203.0.113.9";
  for (int i = 0; i < 100; ++i) list += ", 10.0.0.2";
  CHECK(client_of(list) == "10.0.0.2");
}

TEST_CASE("the scheme is what the proxy says in one word") {
  CHECK(is_tls({{"X-Forwarded-Proto", "https"}}));
  CHECK(is_tls({{"X-Forwarded-Proto", "WSS"}}));
  CHECK_FALSE(is_tls({{"X-Forwarded-Proto", "http"}}, true));
  for (const bool was : {false, true}) {
    CHECK(is_tls({}, was) == was);
    CHECK(is_tls({{"X-Forwarded-Proto", "https, http"}}, was) == was);
    CHECK(is_tls({{"X-Forwarded-Proto", "https"}, {"X-Forwarded-Proto", "http"}}, was) == was);
    CHECK(is_tls({{"X-Forwarded-Proto", "gopher"}}, was) == was);
  }
}

TEST_CASE("whoever connects to a Unix socket is trusted by \"unix:\", and by no address") {
  const Pairs pairs{{"X-Forwarded-For", "203.0.113.9"}, {"X-Forwarded-Proto", "https"}};
  CHECK(told(pairs, from(""), networks({"unix:"})).client.text() == "203.0.113.9");
  CHECK(told(pairs, from(""), networks({"unix:"})).is_tls);
  CHECK(told(pairs, from(""), networks({"0.0.0.0/0", "::/0"})).client.family == AF_UNIX);
  CHECK(told({{"X-Forwarded-For", "::"}}, from("10.0.0.1"), networks({"10.0.0.0/8", "unix:"})).client.text() == "::");
}

TEST_CASE("a client that its proxy does not name is nobody's proxy") {
  ClientFacts client = from("10.0.0.1");
  client.is_unnamed = true;
  CHECK_FALSE(is_trusted(client, networks({"10.0.0.0/8"})));
}
