// The response reader: what an app may say, and what is broken. Whole, cut at every place, and byte by byte.
#include "upstream/response_reader.h"

#include <doctest/doctest.h>

#include "unit/feed.h"

using upstream::FieldId;
using upstream::Framing;
using upstream::Method;
using upstream::ResponseHead;
using upstream::ResponseReader;
using upstream::Step;

namespace {

/// "200 OK {Name=value,} body;" with "1xx {}" before it; "!" when broken, "..." when more is needed, "+" when
/// fit for reuse.
class Reading {
 public:
  Reading(Method method, bool asked_upgrade) { reader_.begin(method, asked_upgrade); }

  void take(std::string_view piece) {
    if (is_over_) {
      if (!piece.empty()) is_followed_ = true;
      return;
    }
    feed::fill(in_, piece);
    while (step()) {
    }
  }
  /// `closes`: the app closes its side behind what was read.
  std::string text(bool closes) {
    if (closes && !is_over_) text_ += reader_.on_close() == Step::kEnd ? ";" : "!";
    if (!closes && !is_over_) text_ += "...";
    if (reader_.may_reuse() && !is_followed_) text_ += "+";
    return text_;
  }

 private:
  bool step() {
    runtime::Slice body;
    switch (reader_.next(in_, head_, body)) {
      case Step::kMore:
        return false;
      case Step::kInterim:
      case Step::kHead:
        text_ += std::to_string(head_.status) + " " + std::string(head_.reason) + " {";
        for (const auto& field : head_.fields)
          text_ += std::string(field.name) + "=" + std::string(field.value) + ",";
        text_ += "}";
        return head_.status != 101;
      case Step::kBody:
        text_ += std::string(body.view());
        return true;
      case Step::kEnd:
        text_ += ";";
        break;
      case Step::kBroken:
        CHECK_FALSE(reader_.complaint().empty());
        text_ += "!";
        break;
    }
    is_over_ = true;
    return false;
  }

  ResponseReader reader_;
  runtime::InBuffer in_;
  ResponseHead head_;
  std::string text_;
  bool is_over_ = false;
  bool is_followed_ = false;  // by bytes that came after the end, in a later piece
};

std::string reading_of(std::string_view wire, Method method = Method::kGet, bool asked_upgrade = false,
                       bool closes = false) {
  std::string expected;
  for (const auto& pieces : feed::cuts(wire)) {
    Reading reading(method, asked_upgrade);
    for (const std::string_view piece : pieces) reading.take(piece);
    const std::string text = reading.text(closes);
    if (expected.empty()) expected = text;
    REQUIRE(text == expected);
  }
  return expected;
}

std::string closed_reading_of(std::string_view wire, Method method = Method::kGet) {
  return reading_of(wire, method, false, true);
}

bool is_broken(std::string_view wire, Method method = Method::kGet) {
  return reading_of(wire, method).back() == '!';
}

}  // namespace

TEST_CASE("an answer with a length, chunked, or to the end of the connection (RFC 9112 6.3)") {
  CHECK(reading_of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello") ==
        "200 OK {Content-Length=5,}hello;+");
  CHECK(
      reading_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n0\r\nA: b\r\n\r\n") ==
      "200 OK {Transfer-Encoding=chunked,}hello;+");
  CHECK(closed_reading_of("HTTP/1.1 200 OK\r\n\r\nhello") == "200 OK {}hello;");
  CHECK(reading_of("HTTP/1.1 200 OK\r\n\r\nhello") == "200 OK {}hello...");
  CHECK(reading_of("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n") ==
        "404 Not Found {Content-Length=0,};+");
}

TEST_CASE("the reason may be empty or missing, and may have any letter (RFC 9112 4)") {
  CHECK(reading_of("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n") == "200  {Content-Length=0,};+");
  CHECK(reading_of("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n") == "200  {Content-Length=0,};+");
  CHECK(reading_of("HTTP/1.1 299 Tr\xc3\xa8s bien\r\nContent-Length: 0\r\n\r\n") ==
        "299 Tr\xc3\xa8s bien {Content-Length=0,};+");
}

TEST_CASE("HEAD, 204 and 304 have no body, whatever the fields say (RFC 9112 6.3)") {
  CHECK(reading_of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Method::kHead) ==
        "200 OK {Content-Length=5,};+");
  CHECK(reading_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Method::kHead) ==
        "200 OK {Transfer-Encoding=chunked,};+");
  CHECK(reading_of("HTTP/1.1 200 OK\r\n\r\n", Method::kHead) == "200 OK {};+");
  CHECK(reading_of("HTTP/1.1 204 No Content\r\n\r\n") == "204 No Content {};+");
  CHECK(reading_of("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n") ==
        "304 Not Modified {Content-Length=5,};+");
}

TEST_CASE("the length is known where there is no body, too") {
  ResponseReader reader;
  reader.begin(Method::kHead, false);
  runtime::InBuffer in;
  ResponseHead head;
  runtime::Slice body;
  feed::fill(in, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n");
  REQUIRE(reader.next(in, head, body) == Step::kHead);
  CHECK(head.framing == Framing::kNone);
  CHECK(head.content_length == 500);
}

TEST_CASE("a connection is fit for reuse only if both sides think so") {
  CHECK(reading_of("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\na") ==
        "200 OK {Content-Length=1,Connection=close,}a;");
  CHECK(reading_of("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na") == "200 OK {Content-Length=1,}a;");
  CHECK(reading_of("HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\na") ==
        "200 OK {Content-Length=1,Connection=keep-alive,}a;+");
  CHECK(reading_of("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\n") ==
        "200 OK {Content-Length=1,}a;");
  CHECK(reading_of("HTTP/1.1 204 No Content\r\n\r\nsurplus") == "204 No Content {};");
}

TEST_CASE("interim answers come before the final one, sixteen at most (RFC 9110 15.2)") {
  CHECK(reading_of("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 "
                   "OK\r\nContent-Length: 1\r\n\r\na") ==
        "100 Continue {}103 Early Hints {Link=a,}200 OK {Content-Length=1,}a;+");
  std::string many;
  for (int i = 0; i < 16; ++i) many += "HTTP/1.1 102 \r\n\r\n";
  CHECK_FALSE(is_broken(many));
  CHECK(is_broken(many + "HTTP/1.1 102 \r\n\r\n"));
  CHECK(is_broken("HTTP/1.1 100 Continue\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n"));
}

TEST_CASE("101 only where it was asked for; what follows is the tunnel's (RFC 9110 15.2.2)") {
  CHECK(is_broken("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"));
  ResponseReader reader;
  reader.begin(Method::kGet, true);
  runtime::InBuffer in;
  ResponseHead head;
  runtime::Slice body;
  feed::fill(in, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x01x");
  REQUIRE(reader.next(in, head, body) == Step::kHead);
  CHECK(head.status == 101);
  CHECK_FALSE(head.is_interim());
  CHECK(in.bytes() == "\x81\x01x");
  CHECK_FALSE(reader.may_reuse());
}

TEST_CASE("an answer that is cut off is broken, not short") {
  CHECK(closed_reading_of("") == "!");
  CHECK(closed_reading_of("HTTP/1.1 200 OK\r\nContent-Le") == "!");
  CHECK(closed_reading_of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell") ==
        "200 OK {Content-Length=5,}hell!");
  CHECK(closed_reading_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n") ==
        "200 OK {Transfer-Encoding=chunked,}ab!");
  CHECK(closed_reading_of("HTTP/1.1 100 Continue\r\n\r\n") == "100 Continue {}!");
}

TEST_CASE("what is not an answer, or could be two, is broken") {
  for (const std::string& head :
       {std::string("HTTP/1.1 20 OK"),
        std::string("HTTP/1.1 2000 OK"),
        std::string("HTTP/1.1 600 OK"),
        std::string("HTTP/1.1 099 OK"),
        std::string("HTTP/1.1 abc OK"),
        std::string("HTTP/2.0 200 OK"),
        std::string("HTTP/1.2 200 OK"),
        std::string("http/1.1 200 OK"),
        std::string("HTTP/1.1  200 OK"),
        std::string("HTTP/1.1 200OK"),
        std::string("HTTP/1.1 200 O\x01K"),
        std::string("HTTP/1.1 200 O\0K", 17),
        std::string("HTTP/1.1 200 O\rK"),
        std::string("<html>"),
        std::string(""),
        std::string("HTTP/1.1 200 OK\nA: b"),
        std::string("HTTP/1.1 200 OK\r\nA : b"),
        std::string("HTTP/1.1 200 OK\r\nA: b\r\n c"),
        std::string("HTTP/1.1 200 OK\r\nA"),
        std::string("HTTP/1.1 200 OK\r\nA: b\0", 23),
        std::string("HTTP/1.1 200 OK\r\nA: b\rc"),
        std::string("HTTP/1.1 200 OK\r\n: b"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: 1, 1"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: -1"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: "),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked"),
        std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip"),
        std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked"),
        std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
        std::string("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked")}) {
    CAPTURE(head);
    CHECK(is_broken(head + "\r\n\r\n"));
  }
  CHECK(is_broken("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"));
  CHECK(is_broken("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n"));
}

TEST_CASE("a head is 64 KiB and 256 fields at most") {
  const auto step_of = [](const std::string& wire) {
    ResponseReader reader;
    reader.begin(Method::kGet, false);
    runtime::InBuffer in;
    ResponseHead head;
    runtime::Slice body;
    feed::fill(in, wire);
    return reader.next(in, head, body);
  };
  std::string fields;
  for (int i = 0; i < 256; ++i) fields += "A: b\r\n";
  CHECK(step_of("HTTP/1.1 200 OK\r\n" + fields + "\r\n") == Step::kHead);
  CHECK(step_of("HTTP/1.1 200 OK\r\n" + fields + "A: b\r\n\r\n") == Step::kBroken);
  CHECK(step_of("HTTP/1.1 200 OK\r\nA: " + std::string(60000, 'a') + "\r\n\r\n") == Step::kHead);
  CHECK(step_of("HTTP/1.1 200 OK\r\nA: " + std::string(70000, 'a')) == Step::kBroken);
  CHECK(step_of("HTTP/1.1 200 OK\r\nA: " + std::string(70000, 'a') + "\r\n\r\n") == Step::kBroken);
}
