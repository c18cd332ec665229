// Request heads of HTTP/2, from the sentences of RFC 9113: what is a request, what is refused, and with which
// status.
#include "proxy/h2_head.h"

#include "doctest_precompiled.h"
#include "proxy/allowance.h"

namespace {

using namespace std::chrono_literals;
using proxy::H2Head;
using upstream::Framing;
using upstream::Method;
using upstream::RequestHead;
using Pairs = std::vector<std::pair<std::string_view, std::string_view>>;

constexpr runtime::Bytes kMaxHead = 4096;
constexpr std::size_t kMaxFields = 10;

const Pairs kGet{{":method", "GET"}, {":scheme", "https"}, {":authority", "a.example"}, {":path", "/x?y=z"}};

struct Reading {
  explicit Reading(const Pairs& pairs, bool has_body = false) {
    reader.begin(head);
    for (const auto& [name, value] : pairs) reader.add(name, value);
    is_request = reader.finish(has_body);
  }
  H2Head reader{kMaxHead, kMaxFields};
  RequestHead head;
  bool is_request = false;
};

Pairs with(Pairs pairs, std::pair<std::string_view, std::string_view> more) {
  pairs.push_back(more);
  return pairs;
}

/// The first pair of that name says something else.
Pairs but(Pairs pairs, std::string_view name, std::string_view value) {
  for (auto& pair : pairs) {
    if (pair.first == name) pair.second = value;
  }
  return pairs;
}

int status_of(const Pairs& pairs, bool has_body = false) {
  const Reading reading(pairs, has_body);
  return reading.is_request ? 200 : reading.reader.refusal().status;
}

}  // namespace

TEST_CASE("the parts of a request") {
  const Reading reading(with(kGet, {"accept", "*/*"}));
  REQUIRE(reading.is_request);
  CHECK(reading.head.method == Method::kGet);
  CHECK(reading.head.method_text == "GET");
  CHECK(reading.head.target == "/x?y=z");
  CHECK(reading.head.path == "/x");
  CHECK(reading.head.query == "y=z");
  CHECK(reading.head.authority == "a.example");
  CHECK(reading.head.version == upstream::Version::kHttp2);
  CHECK(reading.head.framing == Framing::kNone);
  REQUIRE(reading.head.fields.size() == 1);
  CHECK(reading.head.fields[0].name == "accept");
  CHECK(reading.head.fields[0].value == "*/*");
}

TEST_CASE("a body has a length or comes in frames of any number") {
  CHECK(Reading(kGet, true).head.framing == Framing::kChunked);
  const Reading sized(with(kGet, {"content-length", "42"}), true);
  CHECK(sized.head.framing == Framing::kLength);
  CHECK(sized.head.content_length == 42);
  CHECK(Reading(with(kGet, {"content-length", "0"}), false).head.framing == Framing::kNone);
  for (const std::string_view bad : {"", "-1", "1, 1", "0x1", "18446744073709551616"}) {
    CAPTURE(bad);
    CHECK(status_of(with(kGet, {"content-length", bad}), true) == 400);
  }
}

TEST_CASE("host and :authority must say the same, and one of them must be there") {
  const Pairs no_authority{{":method", "GET"}, {":scheme", "https"}, {":path", "/"}};
  CHECK(status_of(no_authority) == 400);
  const Reading by_host(with(no_authority, {"host", "b.example"}));
  CHECK(by_host.head.authority == "b.example");
  CHECK(by_host.head.fields.empty());
  CHECK(status_of(with(kGet, {"host", "A.Example"})) == 200);
  CHECK(status_of(with(kGet, {"host", "evil.example"})) == 400);
  CHECK(status_of(with(with(no_authority, {"host", "a"}), {"host", "b"})) == 400);
  CHECK(status_of(but(kGet, ":authority", "user@a.example")) == 400);
  CHECK(status_of(but(kGet, ":authority", "a b")) == 400);
}

TEST_CASE("a target begins with a slash, or is the asterisk of OPTIONS") {
  CHECK(status_of(but(kGet, ":path", "")) == 400);
  CHECK(status_of(but(kGet, ":path", "x")) == 400);
  CHECK(status_of(but(kGet, ":path", "http://a.example/")) == 400);
  CHECK(status_of(but(kGet, ":path", "/a b")) == 400);
  CHECK(status_of(but(kGet, ":path", "/a#b")) == 400);
  CHECK(status_of(but(kGet, ":path", "*")) == 400);
  CHECK(status_of(but(but(kGet, ":path", "*"), ":method", "OPTIONS")) == 200);
  CHECK(status_of(but(kGet, ":scheme", "ftp")) == 400);
}

TEST_CASE("nothing that could end a line reaches an app") {
  CHECK(status_of(with(kGet, {"x", "a\r\nevil: 1"})) == 400);
  CHECK(status_of(with(kGet, {"x", {"a\0b", 3}})) == 400);
  CHECK(status_of(with(kGet, {"x y", "1"})) == 400);
  CHECK(status_of(with(kGet, {"x\r\n", "1"})) == 400);
  CHECK(status_of(but(kGet, ":method", "GET /evil HTTP/1.1\r\n")) == 400);
  CHECK(status_of(but(kGet, ":method", "G T")) == 400);
  CHECK(status_of(with(kGet, {":protocol", "websocket"})) == 400);
}

TEST_CASE("CONNECT has no target here; the exchange refuses it") {
  const Reading reading({{":method", "CONNECT"}, {":authority", "a.example:443"}}, true);
  CHECK(reading.is_request);
  CHECK(reading.head.method == Method::kConnect);
}

TEST_CASE("the size and the number of fields are bounded") {
  Pairs many = kGet;
  for (std::size_t i = 0; i < kMaxFields; ++i) many.emplace_back("x", "1");
  CHECK(status_of(many) == 200);
  CHECK(status_of(with(many, {"x", "1"})) == 431);
  const std::string fits(kMaxHead - 1000, 'v'), too_long(kMaxHead, 'v');
  CHECK(status_of(with(kGet, {"x", fits})) == 200);
  CHECK(status_of(with(kGet, {"x", too_long})) == 431);
}

TEST_CASE("100-continue and trailers are noticed") {
  CHECK(Reading(with(kGet, {"expect", "100-Continue"}), true).head.expects_continue);
  CHECK_FALSE(Reading(with(kGet, {"expect", "other"}), true).head.expects_continue);
  CHECK(Reading(with(kGet, {"te", "trailers"})).head.takes_trailers);
  CHECK_FALSE(Reading(kGet).head.takes_trailers);
}

TEST_CASE("heads stand behind each other in memory, and one that does not fit moves as a whole") {
  H2Head reader(64 * 1024, 100);
  const std::string value(3000, 'v');
  std::vector<RequestHead> heads(12);
  std::vector<runtime::Chunk> kept;
  for (std::size_t i = 0; i < heads.size(); ++i) {
    reader.begin(heads[i]);
    for (const auto& [name, text] : kGet) reader.add(name, text);
    for (std::size_t n = 0; n < 1 + i % 3; ++n)
      reader.add("x-" + std::to_string(i), value + std::to_string(i));
    REQUIRE(reader.finish(false));
    kept.push_back(reader.chunk());
  }
  reader.rest();
  for (std::size_t i = 0; i < heads.size(); ++i) {
    CAPTURE(i);
    CHECK(heads[i].target == "/x?y=z");
    CHECK(heads[i].path == "/x");
    CHECK(heads[i].authority == "a.example");
    for (const upstream::Field& field : heads[i].fields) {
      CHECK(field.name == "x-" + std::to_string(i));
      CHECK((field.value == value + std::to_string(i)));
    }
  }
}

TEST_CASE("an allowance: so much at once, so much a second, and what is earned") {
  proxy::Allowance allowance(3, 2);
  const runtime::Time start = runtime::Time() + 1h;
  CHECK(allowance.spend(start));
  CHECK(allowance.spend(start));
  CHECK(allowance.spend(start));
  CHECK_FALSE(allowance.spend(start));
  CHECK_FALSE(allowance.spend(start + 499ms));
  CHECK(allowance.spend(start + 500ms));
  CHECK_FALSE(allowance.spend(start + 501ms));
  allowance.earn(1);
  CHECK(allowance.spend(start + 501ms));
  allowance.earn(100);  // never more than at once
  for (int i = 0; i < 3; ++i) CHECK(allowance.spend(start + 502ms));
  CHECK_FALSE(allowance.spend(start + 502ms));
  CHECK_FALSE(allowance.spend(start + 1502ms, 3));
  CHECK(allowance.spend(start + 1502ms, 2));  // what it did not suffice for has cost nothing
}

TEST_CASE("an extended CONNECT for a WebSocket is a handshake with a key of ours (RFC 8441 5)") {
  const Pairs connect = with(but(kGet, ":method", "CONNECT"), {":protocol", "websocket"});
  const std::string large(3000, 'x');
  const Reading reading(with(with(connect, {"sec-websocket-key", "theirs"}), {"x", large}), true);
  REQUIRE(reading.is_request);
  CHECK(reading.head.method == Method::kGet);
  CHECK(reading.head.method_text == "GET");
  CHECK(reading.head.upgrade == "websocket");
  CHECK(reading.head.target == "/x?y=z");
  CHECK(reading.head.path == "/x");
  CHECK(reading.head.query == "y=z");
  CHECK(reading.head.authority == "a.example");
  CHECK(reading.head.framing == Framing::kNone);
  REQUIRE(reading.head.fields.size() == 2);
  CHECK(reading.head.fields[1].name == "sec-websocket-key");
  CHECK(reading.head.fields[1].value.size() == 24);
}

TEST_CASE("CONNECT for anything else, or :protocol without CONNECT, is none") {
  CHECK(status_of(with(but(kGet, ":method", "CONNECT"), {":protocol", "connect-udp"})) == 501);
  CHECK(status_of(with(kGet, {":protocol", "websocket"})) == 400);
  const Pairs connect = with(but(kGet, ":method", "CONNECT"), {":protocol", "websocket"});
  CHECK(status_of(with(connect, {"content-length", "5"}), true) == 400);
}
