// What an HTTP/1.1 app gets on its wire, byte for byte.
#include "upstream/request_writer.h"

#include <doctest/doctest.h>

#include "unit/feed.h"
#include "upstream/grammar.h"

using namespace upstream;

namespace {

RequestHead head_of(std::string_view method, std::string_view target,
                    std::vector<std::pair<std::string_view, std::string_view>> fields) {
  RequestHead head;
  head.method_text = method;
  head.method = parse_method(method);
  head.target = head.path = target;
  head.authority = "example.com";
  for (const auto& [name, value] : fields) head.fields.push_back({name, value, identify(name)});
  return head;
}

std::string written(const RequestHead& head, std::span<const Field> ours = {},
                    Framing framing = Framing::kNone, std::uint64_t length = 0) {
  runtime::ByteQueue out;
  write_request(head, ours, framing, length, out);
  return feed::text_of(out);
}

}  // namespace

TEST_CASE("a request line, Host, the fields as they came, then ours") {
  const Field ours[] = {{"X-Request-Id", "1"}};
  CHECK(written(head_of("GET", "/a?b", {{"hOst", "other"}, {"accept", "*/*"}, {"X-y", ""}}), ours) ==
        "GET /a?b HTTP/1.1\r\nHost: example.com\r\naccept: */*\r\nX-y: \r\nX-Request-Id: 1\r\n\r\n");
}

TEST_CASE("the framing is the wire's own, not what came") {
  const RequestHead head =
      head_of("POST", "/", {{"Content-Length", "7"}, {"Transfer-Encoding", "chunked"}, {"A", "b"}, {"Trailer", "c"}});
  CHECK(written(head, {}, Framing::kLength, 12) ==
        "POST / HTTP/1.1\r\nHost: example.com\r\nA: b\r\nContent-Length: 12\r\n\r\n");
  CHECK(written(head, {}, Framing::kChunked) ==
        "POST / HTTP/1.1\r\nHost: example.com\r\nA: b\r\nTrailer: c\r\nTransfer-Encoding: chunked\r\n\r\n");
}

TEST_CASE("an empty body is announced if the client announced it") {
  CHECK(written(head_of("POST", "/", {{"Content-Length", "0"}})) ==
        "POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 0\r\n\r\n");
  CHECK(written(head_of("GET", "/", {})) == "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n");
}

TEST_CASE(
    "an upgrade and trailers are said anew, with the Connection that they need (RFC 9110 7.8, 10.1.4)") {
  RequestHead head =
      head_of("GET", "/", {{"Connection", "x"}, {"Upgrade", "websocket"}, {"TE", "gzip, trailers"}});
  head.upgrade = "websocket";
  CHECK(written(head) ==
        "GET / HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
  head.takes_trailers = true;
  CHECK(written(head) ==
        "GET / HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nTE: trailers\r\nConnection: Upgrade, "
        "TE\r\n\r\n");
  head.upgrade = {};
  CHECK(written(head) == "GET / HTTP/1.1\r\nHost: example.com\r\nTE: trailers\r\nConnection: TE\r\n\r\n");
}

TEST_CASE("crumbs of a cookie become one in HTTP/1 (RFC 9113 8.2.3)") {
  RequestHead head = head_of("GET", "/", {{"cookie", "a=1"}, {"x", "y"}, {"cookie", "b=2"}});
  head.version = Version::kHttp2;
  CHECK(written(head) == "GET / HTTP/1.1\r\nHost: example.com\r\nx: y\r\nCookie: a=1; b=2\r\n\r\n");
  head.version = Version::kHttp11;
  CHECK(written(head) == "GET / HTTP/1.1\r\nHost: example.com\r\ncookie: a=1\r\nx: y\r\ncookie: b=2\r\n\r\n");
}

TEST_CASE("a head larger than a chunk of the pool is written whole") {
  const std::string value(40000, 'v');
  CHECK(written(head_of("GET", "/", {{"A", value}})) ==
        "GET / HTTP/1.1\r\nHost: example.com\r\nA: " + value + "\r\n\r\n");
}

TEST_CASE("chunks carry their size in hexadecimal; an empty piece is none (RFC 9112 7.1)") {
  runtime::ByteQueue out;
  write_chunk({}, out);
  CHECK(out.is_empty());
  runtime::InBuffer in;
  feed::fill(in, "hello, world");
  write_chunk(in.take(12), out);
  feed::fill(in, std::string(2000, 'x'));
  write_chunk(in.take(2000), out);
  write_last_chunk("A: b\r\n", out);
  write_last_chunk({}, out);
  CHECK(feed::text_of(out) == "c\r\nhello, world\r\n7d0\r\n" + std::string(2000, 'x') + "\r\n0\r\nA: b\r\n\r\n0\r\n\r\n");
}
