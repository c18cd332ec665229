// What an HTTP/1 client gets on its wire, byte for byte.
#include "proxy/h1_writer.h"

#include <doctest/doctest.h>

#include "unit/feed.h"
#include "upstream/grammar.h"

using namespace proxy;
using upstream::Framing;
using upstream::ResponseHead;
using upstream::Version;

namespace {

constexpr std::string_view kDate = "Tue, 24 Nov 2026 20:11:41 GMT";

ResponseHead head_of(std::uint16_t status, std::string_view reason,
                     std::vector<std::pair<std::string_view, std::string_view>> fields) {
  ResponseHead head;
  head.status = status;
  head.reason = reason;
  for (const auto& [name, value] : fields) head.fields.push_back({name, value, upstream::identify(name)});
  return head;
}

std::string written(const ResponseHead& head, Framing framing, bool keep_alive = true,
                    Version version = Version::kHttp11) {
  runtime::ByteQueue out;
  write_response_head(head, version, keep_alive, framing, kDate, out);
  return feed::text_of(out);
}

}  // namespace

TEST_CASE("status line, fields as they came, framing, Date when it is missing") {
  ResponseHead head = head_of(200, "Fine", {{"server", "app"}, {"Content-Length", "7"}});
  head.content_length = 7;
  CHECK(
      written(head, Framing::kLength) ==
      "HTTP/1.1 200 Fine\r\nserver: app\r\nContent-Length: 7\r\nDate: Tue, 24 Nov 2026 20:11:41 GMT\r\n\r\n");
  CHECK(written(head_of(200, "", {{"Date", "now"}}), Framing::kChunked) ==
        "HTTP/1.1 200 OK\r\nDate: now\r\nTransfer-Encoding: chunked\r\n\r\n");
}

TEST_CASE("without a body the length that the app gave is passed on (HEAD, 304)") {
  CHECK(written(head_of(304, "", {{"Content-Length", "7"}, {"Date", "now"}}), Framing::kNone) ==
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\nDate: now\r\n\r\n");
}

TEST_CASE("Connection says what will happen (RFC 9112 9.3)") {
  const ResponseHead head = head_of(204, "", {{"Date", "now"}, {"Connection", "keep-alive"}});
  const std::string begin = "HTTP/1.1 204 No Content\r\nDate: now\r\n";
  CHECK(written(head, Framing::kNone, true) == begin + "\r\n");
  CHECK(written(head, Framing::kNone, false) == begin + "Connection: close\r\n\r\n");
  CHECK(written(head, Framing::kNone, true, Version::kHttp10) == begin + "Connection: keep-alive\r\n\r\n");
  CHECK(written(head, Framing::kNone, false, Version::kHttp10) == begin + "Connection: close\r\n\r\n");
}

TEST_CASE("a body to the end of the connection has no framing field (HTTP/1.0)") {
  CHECK(written(head_of(200, "", {{"Date", "now"}, {"Content-Length", "9"}}), Framing::kToClose, false,
                Version::kHttp10) == "HTTP/1.1 200 OK\r\nDate: now\r\nConnection: close\r\n\r\n");
}

TEST_CASE("a 101 says Upgrade (RFC 9110 7.8)") {
  CHECK(written(head_of(101, "", {{"Upgrade", "websocket"}, {"Date", "now"}}), Framing::kNone, false) ==
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nDate: now\r\nConnection: Upgrade\r\n\r\n");
}

TEST_CASE("an interim head has its fields and nothing else") {
  runtime::ByteQueue out;
  write_interim(head_of(100, "", {}), out);
  write_interim(head_of(103, "Early Hints", {{"Link", "</a.css>; rel=preload"}}), out);
  CHECK(feed::text_of(out) ==
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n");
}

TEST_CASE("a status without a name has an empty reason") {
  CHECK(written(head_of(299, "", {{"Date", "now"}}), Framing::kNone) == "HTTP/1.1 299 \r\nDate: now\r\n\r\n");
}
