#include "conf/address.h"

#include <doctest/doctest.h>

using conf::Address;
using conf::parse_address;
using conf::parse_network;

TEST_CASE("an address is host:port, *:port, [ipv6]:port or unix:PATH") {
  auto const v4 = parse_address("127.0.0.1:8000");
  REQUIRE(v4);
  CHECK(v4->kind == Address::Kind::kTcp);
  CHECK(v4->host == "127.0.0.1");
  CHECK(v4->port == 8000);
  CHECK(v4->text == "127.0.0.1:8000");

  auto const every = parse_address("*:80");
  REQUIRE(every);
  CHECK(every->host == "*");
  CHECK(every->port == 80);

  auto const v6 = parse_address("[::]:443");
  REQUIRE(v6);
  CHECK(v6->host == "::");
  CHECK(v6->text == "[::]:443");

  auto const path = parse_address("unix:/run/a:b.sock");
  REQUIRE(path);
  CHECK(path->kind == Address::Kind::kUnix);
  CHECK(path->path == "/run/a:b.sock");
}

TEST_CASE("two spellings of one address are equal") {
  CHECK(parse_address("[0:0::1]:80").value() == parse_address("[::1]:80").value());
  CHECK(parse_address("[2001:DB8::1]:80").value().text == "[2001:db8::1]:80");
}

TEST_CASE("what is no address is refused with what is expected") {
  auto const sentence = [](std::string_view text) {
    auto const address = parse_address(text);
    return address ? std::string("accepted") : address.error().sentence;
  };
  CHECK(sentence("") == "expected `host:port`, `*:port`, `[::]:port` or `unix:PATH`");
  CHECK(sentence("8000") == "expected `host:port`, `*:port`, `[::]:port` or `unix:PATH`");
  CHECK(sentence(":80") == "expected `host:port`, `*:port`, `[::]:port` or `unix:PATH`");
  CHECK(sentence("127.0.0.1:") == "the port must be a number from 0 to 65535");
  CHECK(sentence("127.0.0.1:65536") == "the port must be a number from 0 to 65535");
  CHECK(sentence("127.0.0.1:80x") == "the port must be a number from 0 to 65535");
  CHECK(sentence("127.0.0.1:-1") == "the port must be a number from 0 to 65535");
  CHECK(sentence("localhost:80") == "the host must be `*` or an IP address; names are not looked up");
  CHECK(sentence("127.0.1:80") == "the host must be `*` or an IP address; names are not looked up");
  CHECK(sentence("256.0.0.1:80") == "the host must be `*` or an IP address; names are not looked up");
  CHECK(sentence("[]:80") == "the host must be `*` or an IP address; names are not looked up");
  CHECK(sentence(std::string_view("127.0.0.1\0:80", 13)) ==
        "the host must be `*` or an IP address; names are not looked up");
  CHECK(sentence("::1:80") ==
        "an IPv6 address stands in brackets, as in `[::1]:8000`, an IPv4 address does not");
  CHECK(sentence("[127.0.0.1]:80") ==
        "an IPv6 address stands in brackets, as in `[::1]:8000`, an IPv4 address does not");
  CHECK(sentence("unix:") == "a path must follow `unix:`");
  CHECK(sentence(std::string_view("unix:/a\0b", 9)) == "a path may not hold a NUL byte");
}

TEST_CASE("a network contains the addresses that begin with its prefix") {
  auto const ten = parse_network("10.0.0.0/8");
  REQUIRE(ten);
  CHECK(ten->prefix == 104);
  CHECK(ten->contains({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 255, 1, 2}));
  CHECK_FALSE(ten->contains({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 11, 0, 0, 0}));
  // An IPv6 address that only has the same last bytes is another one.
  CHECK_FALSE(ten->contains({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 1}));

  auto const odd = parse_network("192.0.2.128/25");
  REQUIRE(odd);
  CHECK(odd->contains({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 129}));
  CHECK_FALSE(odd->contains({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 127}));

  auto const local = parse_network("fd00::/8");
  REQUIRE(local);
  CHECK(local->contains({0xfd, 1}));
  CHECK_FALSE(local->contains({0xfc, 1}));

  auto const all_v4 = parse_network("0.0.0.0/0");
  REQUIRE(all_v4);
  CHECK(all_v4->contains({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 8, 8, 8, 8}));
  CHECK_FALSE(all_v4->contains({0xfd, 1}));
  CHECK(parse_network("::/0").value().contains({0xfd, 1}));
}

TEST_CASE("an address alone is a network of one") {
  auto const one = parse_network("192.0.2.7");
  REQUIRE(one);
  CHECK(one->prefix == 128);
  CHECK(one->text == "192.0.2.7");
  CHECK(parse_network("192.0.2.7/32").value() == *one);
  CHECK(parse_network("::1").value().contains({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}));
}

TEST_CASE("what is no network is refused") {
  for (char const* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "::/129",
                           "10.0.0/8", "example.com", "[::1]", "*", "10.1.0.0/8", "fd00::1/8"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_network(text));
  }
}
