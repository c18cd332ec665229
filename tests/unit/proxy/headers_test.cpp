// Which fields pass between client and app, both directions.
#include "proxy/headers.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>

#include <string>

#include "proxy/traceparent.h"
#include "upstream/grammar.h"

using namespace proxy;
using upstream::Field;
using upstream::Fields;
using upstream::RequestHead;
using upstream::ResponseHead;

namespace {

using Pairs = std::vector<std::pair<std::string_view, std::string_view>>;

Fields fields_of(const Pairs& pairs) {
  Fields fields;
  for (const auto& [name, value] : pairs) fields.push_back({name, value, upstream::identify(name)});
  return fields;
}

std::string text_of(std::span<const Field> fields) {
  std::string text;
  for (const Field& field : fields) text += std::string(field.name) + ": " + std::string(field.value) + "\n";
  return text;
}

ClientFacts client_at(int family, const char* address, bool is_tls = false) {
  ClientFacts client;
  client.peer.family = static_cast<sa_family_t>(family);
  client.is_tls = is_tls;
  if (family != AF_UNIX) REQUIRE(::inet_pton(family, address, client.peer.bytes) == 1);
  return client;
}

/// One request through prepare_request(); X-Request-Id of our own making reads "made".
struct Prepared {
  explicit Prepared(const Pairs& pairs, bool is_trusted = false,
                    const ClientFacts& client = client_at(AF_INET, "192.0.2.60")) {
    head.authority = "example.com:8000";
    head.fields = fields_of(pairs);
    prepare_request(head, client, is_trusted, runtime::WallTime(std::chrono::microseconds(1700000000123456)),
                    ours);
  }
  std::string passed() const { return text_of(head.fields); }
  std::string_view added(std::string_view name) const {
    for (const Field& field : ours.fields()) {
      if (field.name == name) return field.value;
    }
    return "none";
  }
  RequestHead head;
  AppFields ours;
};

std::string response_of(std::uint16_t status, const Pairs& pairs, bool keep_upgrade = false) {
  ResponseHead head;
  head.status = status;
  head.fields = fields_of(pairs);
  prepare_response(head, keep_upgrade);
  return text_of(head.fields);
}

}  // namespace

TEST_CASE("hop-by-hop fields do not reach the app (RFC 9110 7.6.1)") {
  CHECK(Prepared({{"Accept", "a"},
                  {"Connection", "close"},
                  {"keep-alive", "5"},
                  {"Proxy-Connection", "x"},
                  {"TE", "trailers"},
                  {"Trailer", "x"},
                  {"Transfer-Encoding", "chunked"},
                  {"UPGRADE", "x"},
                  {"HTTP2-Settings", "x"},
                  {"Expect", "100-continue"},
                  {"Proxy", "http://evil"},
                  {"Cookie", "b"}})
            .passed() == "Accept: a\nCookie: b\n");
}

TEST_CASE("a field named in Connection is removed, whatever its case") {
  CHECK(Prepared({{"X-One", "1"},
                  {"Connection", "keep-alive, x-one"},
                  {"x-ONE", "2"},
                  {"X-Two", "3"},
                  {"connection", "X-Three"},
                  {"X-Three", "4"}})
            .passed() == "X-Two: 3\n");
  CHECK(response_of(200, {{"Connection", "X-One"}, {"X-One", "1"}, {"X-Two", "2"}}) == "X-Two: 2\n");
}

TEST_CASE("a name with '_' does not reach the app: an environment cannot tell it from '-'") {
  CHECK(Prepared({{"X_Forwarded_For", "1"}, {"Content_Length", "5"}, {"X-Fine", "2"}, {"_", "3"}}).passed() ==
        "X-Fine: 2\n");
  CHECK(Prepared({{"X_User", "1"}, {"X-Forwarded-Server_Port", "2"}}, true).passed() == "");
}

TEST_CASE("what a stranger says about proxies is not believed") {
  const Prepared prepared({{"X-Forwarded-For", "1.1.1.1"},
                           {"X-Forwarded-Proto", "https"},
                           {"X-Forwarded-Host", "evil"},
                           {"X-Forwarded-Port", "1"},
                           {"X-Forwarded-Prefix", "/x"},
                           {"X-Forwarded-User", "root"},
                           {"Forwarded", "for=1.1.1.1"},
                           {"X-Real-IP", "1.1.1.1"},
                           {"X-Request-Id", "theirs"},
                           {"X-Request-Start", "t=1"},
                           {"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
                           {"tracestate", "a=1"},
                           {"Accept", "a"}});
  CHECK(prepared.passed() == "Accept: a\n");
  CHECK(prepared.added("X-Forwarded-For") == "192.0.2.60");
  CHECK(prepared.added("X-Forwarded-Proto") == "http");
  CHECK(prepared.added("X-Forwarded-Host") == "example.com:8000");
  CHECK(prepared.added("Forwarded") == "for=192.0.2.60;proto=http;host=\"example.com:8000\"");
  CHECK(prepared.added("X-Request-Start") == "t=1700000000123456");
  CHECK(prepared.added("X-Request-Id").size() == 32);
  CHECK(prepared.added("X-Request-Id").find_first_not_of("0123456789abcdef") == std::string_view::npos);
  CHECK(prepared.ours.request_id() == prepared.added("X-Request-Id"));
}

TEST_CASE("no two requests have one id") {
  CHECK(Prepared({}).ours.request_id() != Prepared({}).ours.request_id());
}

TEST_CASE("what a trusted proxy says is kept, and ours is joined to its lists") {
  const Prepared prepared({{"X-Forwarded-For", "1.1.1.1, 2.2.2.2"},
                           {"x-forwarded-for", "3.3.3.3"},
                           {"X-Forwarded-Proto", "https"},
                           {"X-Forwarded-Host", "shop.example"},
                           {"X-Forwarded-Port", "443"},
                           {"X-Forwarded-Prefix", "/x"},
                           {"Forwarded", "for=1.1.1.1"},
                           {"X-Real-IP", "1.1.1.1"},
                           {"X-Request-Id", "theirs"},
                           {"X-Request-Start", "t=1"},
                           {"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"},
                           {"tracestate", "a=1"}},
                          true);
  CHECK(prepared.passed() ==
        "X-Forwarded-Proto: https\nX-Forwarded-Host: shop.example\nX-Forwarded-Port: "
        "443\nX-Forwarded-Prefix: /x\n"
        "X-Real-IP: 1.1.1.1\nX-Request-Id: theirs\nX-Request-Start: t=1\n"
        "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00\ntracestate: a=1\n");
  CHECK(text_of(prepared.ours.fields()) ==
        "X-Forwarded-For: 1.1.1.1, 2.2.2.2, 3.3.3.3, 192.0.2.60\n"
        "Forwarded: for=1.1.1.1, for=192.0.2.60;proto=http;host=\"example.com:8000\"\n");
  CHECK(prepared.ours.request_id() == "theirs");
}

TEST_CASE("a trusted proxy's list that is too long to join stays a field before ours") {
  const std::string long_list(2000, '1');
  const Prepared prepared({{"X-Forwarded-For", long_list}, {"Forwarded", long_list}}, true);
  CHECK(prepared.passed() == "X-Forwarded-For: " + long_list + "\nForwarded: " + long_list + "\n");
  CHECK(prepared.added("X-Forwarded-For") == "192.0.2.60");
}

TEST_CASE("an id that is none is replaced, even a trusted proxy's") {
  for (const std::string& id :
       {std::string(), std::string("a b"), std::string(200, 'x'), std::string("\xff")}) {
    const Prepared prepared({{"X-Request-Id", id}}, true);
    CHECK(prepared.passed() == "");
    CHECK(prepared.added("X-Request-Id").size() == 32);
  }
}

TEST_CASE("a trace begins here, named as the request is, unless a trusted proxy has begun it (W3C Trace Context)") {
  constexpr std::string_view kTheirs = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
  const Prepared ours({{"traceparent", kTheirs}, {"tracestate", "a=1"}});
  CHECK(ours.passed().empty());
  const std::string made(ours.added("traceparent"));
  CHECK(is_traceparent(made));
  CHECK(made.starts_with("00-" + std::string(ours.ours.request_id()) + "-"));
  CHECK(made.ends_with("-01"));
  CHECK(Prepared({{"traceparent", kTheirs}}, true).added("traceparent") == "none");
  // One that is none, and two of them; a name of the request that can be none of a trace.
  for (const Pairs& pairs : {Pairs{{"traceparent", "00-1-1-00"}, {"tracestate", "a=1"}},
                             Pairs{{"traceparent", kTheirs}, {"traceparent", kTheirs}, {"tracestate", "a=1"}}}) {
    const Prepared prepared(pairs, true);
    CHECK(prepared.passed().empty());
    CHECK(is_traceparent(prepared.added("traceparent")));
  }
  const Prepared named({{"X-Request-Id", "theirs"}}, true);
  CHECK(is_traceparent(named.added("traceparent")));
  const Prepared named_alike({{"X-Request-Id", "4bf92f3577b34da6a3ce929d0e0e4736"}}, true);
  CHECK(named_alike.added("traceparent").starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
}

TEST_CASE("all that we may add has its place") {
  RequestHead head;
  head.method = upstream::Method::kOptions;
  head.authority = std::string_view("example.com");
  head.fields = fields_of({{"Max-Forwards", "2"}});
  AppFields ours;
  prepare_request(head, client_at(AF_INET, "192.0.2.60"), false, {}, ours);
  REQUIRE(count_forward(head, ours) == Forwards::kGoOn);
  add_via(upstream::Version::kHttp11, ours);
  CHECK(ours.fields().size() == 9);
  CHECK(text_of(ours.fields()).ends_with("Max-Forwards: 1\nVia: 1.1 portherd\n"));
}

TEST_CASE("what is never prepared has an id, too: a trusted proxy's, or ours") {
  RequestHead head;
  head.fields = fields_of({{"X-Request-Id", "theirs"}});
  AppFields ours;
  name_request(head, false, ours);
  CHECK(ours.request_id().size() == 32);
  name_request(head, true, ours);
  CHECK(ours.request_id() == "theirs");
  head.fields = fields_of({{"X-Request-Id", "a b"}});
  name_request(head, true, ours);
  CHECK(ours.request_id().size() == 32);
}

TEST_CASE("IPv6 and Unix clients, TLS, and no host") {
  const Prepared ipv6({}, false, client_at(AF_INET6, "2001:db8::1", true));
  CHECK(ipv6.added("X-Forwarded-For") == "2001:db8::1");
  CHECK(ipv6.added("X-Forwarded-Proto") == "https");
  CHECK(ipv6.added("Forwarded") == "for=\"[2001:db8::1]\";proto=https;host=\"example.com:8000\"");
  const Prepared local({{"X-Forwarded-For", "1.1.1.1"}}, true, client_at(AF_UNIX, ""));
  CHECK(local.passed() == "X-Forwarded-For: 1.1.1.1\n");
  CHECK(local.added("X-Forwarded-For") == "none");
  CHECK(local.added("Forwarded") == "for=unknown;proto=http;host=\"example.com:8000\"");
  RequestHead bare;
  AppFields ours;
  prepare_request(bare, client_at(AF_INET, "192.0.2.60"), false, {}, ours);
  CHECK(text_of(ours.fields()).find("X-Forwarded-Host") == std::string::npos);
}

TEST_CASE("preparing again, for the next request, begins anew") {
  RequestHead head;
  AppFields ours;
  prepare_request(head, client_at(AF_INET, "192.0.2.60"), false, {}, ours);
  const std::size_t count = ours.fields().size();
  prepare_request(head, client_at(AF_INET, "192.0.2.61"), false, {}, ours);
  CHECK(ours.fields().size() == count);
  CHECK(ours.fields()[0].value == "192.0.2.61");
}

TEST_CASE("hop-by-hop fields do not reach the client; all others do, and nothing is invented") {
  CHECK(response_of(200, {{"Server", "app"},
                          {"Connection", "keep-alive"},
                          {"Keep-Alive", "5"},
                          {"Transfer-Encoding", "chunked"},
                          {"Trailer", "x"},
                          {"Upgrade", "h2c"},
                          {"Set-Cookie", "a"},
                          {"set-cookie", "b"},
                          {"X_Y", "c"},
                          {"Content-Length", "5"}}) ==
        "Server: app\nSet-Cookie: a\nset-cookie: b\nX_Y: c\nContent-Length: 5\n");
}

TEST_CASE("Upgrade passes with the 101 that was asked for") {
  CHECK(response_of(101, {{"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Accept", "x"}},
                    true) == "Upgrade: websocket\nSec-WebSocket-Accept: x\n");
}

TEST_CASE("204 and interim answers have no Content-Length, 304 may (RFC 9110 8.6)") {
  CHECK(response_of(204, {{"Content-Length", "0"}}) == "");
  CHECK(response_of(103, {{"Content-Length", "0"}, {"Link", "x"}}) == "Link: x\n");
  CHECK(response_of(304, {{"Content-Length", "5"}}) == "Content-Length: 5\n");
}

TEST_CASE("Via stands behind those that came, with the version that the message came in (RFC 9110 7.6.3)") {
  Prepared prepared(Pairs{{"Via", "1.0 fred"}});
  add_via(upstream::Version::kHttp2, prepared.ours);
  CHECK(prepared.passed() == "Via: 1.0 fred\n");
  CHECK(prepared.added("Via") == "2.0 portherd");
  ResponseHead answer;
  answer.fields = fields_of({{"Server", "a"}, {"Via", "1.1 inner"}});
  answer.version = upstream::Version::kHttp10;
  add_via(answer);
  CHECK(text_of(answer.fields) == "Server: a\nVia: 1.1 inner\nVia: 1.0 portherd\n");
}

TEST_CASE("Max-Forwards of OPTIONS is one number, and one fewer goes on (RFC 9110 7.6.2)") {
  const auto counted = [](const Pairs& pairs, std::string* text = nullptr,
                          upstream::Method method = upstream::Method::kOptions) {
    Prepared prepared(pairs);
    prepared.head.method = method;
    const Forwards forwards = count_forward(prepared.head, prepared.ours);
    if (text != nullptr) *text = prepared.passed() + "+" + std::string(prepared.added("Max-Forwards"));
    return forwards;
  };
  std::string text;
  CHECK(counted({{"A", "b"}}, &text) == Forwards::kGoOn);
  CHECK(text == "A: b\n+none");
  CHECK(counted({{"max-forwards", "10"}, {"A", "b"}}, &text) == Forwards::kGoOn);
  CHECK(text == "A: b\n+9");
  CHECK(counted({{"Max-Forwards", "18446744073709551616"}}, &text) == Forwards::kGoOn);
  CHECK(text == "+18446744073709551614");
  CHECK(counted({{"Max-Forwards", "0"}}) == Forwards::kEndHere);
  CHECK(counted({{"Max-Forwards", "00"}}) == Forwards::kEndHere);
  for (const std::string_view value : {"", "-1", "+1", "1, 1", "1.0", "x"}) {
    CAPTURE(value);
    CHECK(counted({{"Max-Forwards", value}}) == Forwards::kUnclear);
  }
  CHECK(counted({{"Max-Forwards", "1"}, {"Max-Forwards", "1"}}) == Forwards::kUnclear);
  CHECK(counted({{"Max-Forwards", "0"}}, &text, upstream::Method::kGet) == Forwards::kGoOn);
  CHECK(text == "Max-Forwards: 0\n+none");
}

TEST_CASE("no trailer goes on that a recipient might take for a field of the head (RFC 9110 6.5.1)") {
  CHECK(pass_trailers("") == "");
  CHECK(pass_trailers("X-Sum: 1\r\nserver-timing:a\r\n") == "X-Sum: 1\r\nserver-timing:a\r\n");
  CHECK(pass_trailers("grpc-status: 0\r\ngrpc-message: \r\n") == "grpc-status: 0\r\ngrpc-message: \r\n");
  for (const std::string name : {"content-length",
                                 "Content-Type",
                                 "CONTENT-RANGE",
                                 "Transfer-Encoding",
                                 "Host",
                                 "Connection",
                                 "Trailer",
                                 "TE",
                                 "Authorization",
                                 "Proxy-Authenticate",
                                 "Set-Cookie",
                                 "Cookie",
                                 "If-None-Match",
                                 "Range",
                                 "Expect",
                                 "Vary",
                                 "Max-Forwards",
                                 "Via",
                                 "Date",
                                 "X-Forwarded-For",
                                 "X-Forwarded-Anything",
                                 "Forwarded",
                                 "X-Real-IP",
                                 "X-Request-Id",
                                 "X_A",
                                 "Sec-WebSocket-Key",
                                 "Cache-Control",
                                 "Location",
                                 "Access-Control-Allow-Origin"}) {
    CAPTURE(name);
    CHECK(pass_trailers("A: b\r\n" + name + ": 5\r\nC: d\r\n") == "A: b\r\nC: d\r\n");
  }
}

TEST_CASE("Trailer goes where trailers can follow it (RFC 9110 6.6.2)") {
  RequestHead head;
  AppFields ours;
  head.fields = fields_of({{"Trailer", "X-Sum"}});
  head.framing = upstream::Framing::kChunked;
  prepare_request(head, client_at(AF_INET, "192.0.2.60"), false, {}, ours);
  CHECK(text_of(head.fields) == "Trailer: X-Sum\n");
  head.framing = upstream::Framing::kLength;
  prepare_request(head, client_at(AF_INET, "192.0.2.60"), false, {}, ours);
  CHECK(text_of(head.fields) == "");

  ResponseHead answer;
  answer.status = 200;
  answer.framing = upstream::Framing::kChunked;
  answer.fields = fields_of({{"Trailer", "X-Sum"}});
  prepare_response(answer, false, /*takes_trailers=*/true);
  CHECK(text_of(answer.fields) == "Trailer: X-Sum\n");
  prepare_response(answer, false, /*takes_trailers=*/false);
  CHECK(text_of(answer.fields) == "");
}
