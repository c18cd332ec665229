// The request reader, from the sentences of RFC 9112. Every message is read whole, cut in two at every place,
// and byte by byte.
#include "proxy/h1_reader.h"

#include <doctest/doctest.h>

#include "unit/feed.h"

namespace {

using proxy::H1Reader;
using upstream::FieldId;
using upstream::Framing;
using upstream::Method;
using upstream::RequestHead;
using upstream::Step;
using upstream::Version;

constexpr runtime::Bytes kMaxHead = 4096;
constexpr std::size_t kMaxFields = 20;

/// "GET /path host {Name=value,...} body=...;" and so on, "400" for a refusal, "..." when more is needed.
class Reading {
 public:
  Reading() { reader_.begin(kMaxHead, kMaxFields); }

  void take(std::string_view piece) {
    if (is_refused_) return;
    feed::fill(in_, piece);
    while (step()) {
    }
    in_.rest();
  }
  std::string text() const { return text_ + (is_whole_ ? "" : "..."); }
  const proxy::Refusal& refusal() const { return reader_.refusal(); }

 private:
  bool step() {
    if (is_whole_ && in_.is_empty()) return false;
    runtime::Slice body;
    switch (reader_.next(in_, head_, body)) {
      case Step::kMore:
        is_whole_ = text_.empty() && in_.is_empty();
        return false;
      case Step::kHead:
        is_whole_ = false;
        kept_ = in_.chunk();
        describe();
        return true;
      case Step::kBody:
        text_ += std::string(body.view());
        return true;
      case Step::kEnd:
        text_ += ";";
        is_whole_ = true;
        reader_.next_message();
        return true;
      case Step::kBroken:
        text_ += std::to_string(reader_.refusal().status);
        is_whole_ = is_refused_ = true;
        return false;
      case Step::kInterim:
        FAIL("a request is never interim");
    }
    return false;
  }
  void describe() {
    text_ += std::string(head_.method_text) + " " + std::string(head_.target) + " " +
             std::string(head_.authority) + " {";
    for (const auto& field : head_.fields)
      text_ += std::string(field.name) + "=" + std::string(field.value) + ",";
    text_ += "}";
  }

  H1Reader reader_;
  runtime::InBuffer in_;
  RequestHead head_;
  runtime::Chunk kept_;
  std::string text_;
  bool is_whole_ = true;
  bool is_refused_ = false;
};

std::string reading_of(std::string_view wire) {
  std::string expected;
  for (const auto& pieces : feed::cuts(wire)) {
    Reading reading;
    for (const std::string_view piece : pieces) reading.take(piece);
    if (expected.empty()) expected = reading.text();
    REQUIRE(reading.text() == expected);
  }
  return expected;
}

/// The status of the refusal, 0 if the head was taken.
int status_of(std::string_view wire) {
  const std::string text = reading_of(wire);
  if (text.size() >= 3 && text.find_first_not_of("0123456789") == text.npos) return std::stoi(text);
  return 0;
}

/// One head, read whole, with what keeps its bytes.
struct Whole {
  explicit Whole(std::string_view wire) {
    reader.begin(kMaxHead, kMaxFields);
    feed::fill(in, wire);
    runtime::Slice body;
    step = reader.next(in, head, body);
  }
  H1Reader reader;
  runtime::InBuffer in;
  RequestHead head;
  Step step;
};

}  // namespace

TEST_CASE("a head that was refused after it had moved can still be told of") {
  H1Reader reader;
  reader.begin(100'000, kMaxFields);
  runtime::InBuffer in;
  RequestHead head;
  runtime::Slice body;
  feed::fill(in, "GET /far HTTP/1.1\r\nHost: a\r\nLong: ");
  CHECK(reader.next(in, head, body) == Step::kMore);
  const char* const began = in.bytes().data();
  for (int i = 0; i < 40; ++i) {
    feed::fill(in, std::string(1000, 'x'));
    CHECK(reader.next(in, head, body) == Step::kMore);
  }
  REQUIRE(in.bytes().data() != began);
  feed::fill(in, "\r\nno field\r\n");
  CHECK(reader.next(in, head, body) == Step::kBroken);
  CHECK(head.method_text.data() == in.bytes().data());
  CHECK(head.method_text == "GET");
  CHECK(head.target == "/far");
}

TEST_CASE("a request is read as it was written") {
  CHECK(reading_of("GET /a/b?c=d HTTP/1.1\r\nHost: example.com\r\nAccept: */*\r\n\r\n") ==
        "GET /a/b?c=d example.com {Host=example.com,Accept=*/*,};");
  CHECK(reading_of("GET / HTTP/1.0\r\n\r\n") == "GET /  {};");
  CHECK(reading_of("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello") ==
        "POST / a {Host=a,Content-Length=5,}hello;");
  CHECK(reading_of("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
                   "chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n") ==
        "POST / a {Host=a,Transfer-Encoding=chunked,}hello!;");
}

TEST_CASE("a head says what it means") {
  const Whole whole("GET /p/q?x=1?y HTTP/1.1\r\nhOsT: Example.com:8080\r\nTE: trailers\r\n\r\n");
  REQUIRE(whole.step == Step::kHead);
  CHECK(whole.head.method == Method::kGet);
  CHECK(whole.head.path == "/p/q");
  CHECK(whole.head.query == "x=1?y");
  CHECK(whole.head.authority == "Example.com:8080");
  CHECK(whole.head.version == Version::kHttp11);
  CHECK(whole.head.framing == Framing::kNone);
  CHECK(whole.head.keep_alive);
  CHECK(whole.head.takes_trailers);
  CHECK_FALSE(whole.head.expects_continue);
  CHECK(whole.head.fields[0].id == FieldId::kHost);
  CHECK(whole.reader.body_has_ended());
}

TEST_CASE("requests on one connection follow each other, with and without bodies") {
  CHECK(reading_of(
            "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\nHost: b\r\n\r\n"
            "PUT /3 HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /4 "
            "HTTP/1.1\r\nHost: d\r\n\r\n") ==
        "POST /1 a {Host=a,Content-Length=3,}abc;GET /2 b {Host=b,};PUT /3 c "
        "{Host=c,Transfer-Encoding=chunked,};"
        "GET /4 d {Host=d,};");
}

TEST_CASE("what is not whole needs more") {
  CHECK(reading_of("GET / HTTP/1.1\r\nHost: a\r\n") == "...");
  CHECK(reading_of("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell") ==
        "POST / a {Host=a,Content-Length=5,}hell...");
  CHECK(reading_of("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n") ==
        "POST / a {Host=a,Transfer-Encoding=chunked,}ab...");
}

TEST_CASE("one empty line before a request is skipped, not two (RFC 9112 2.2)") {
  CHECK(reading_of("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n") == "GET / a {Host=a,};");
  CHECK(status_of("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(status_of("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(status_of("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
}

TEST_CASE("the request-line has one form (RFC 9112 3)") {
  for (const std::string_view line : {"GET  / HTTP/1.1",
                                      " GET / HTTP/1.1",
                                      "GET /  HTTP/1.1",
                                      "GET / HTTP/1.1 ",
                                      "GET\t/ HTTP/1.1",
                                      "GET /\tHTTP/1.1",
                                      "GET /",
                                      "GET",
                                      "GET / ",
                                      "GET HTTP/1.1",
                                      "G(T / HTTP/1.1",
                                      "GET / http/1.1",
                                      "GET / HTTP/1.1x",
                                      "GET / HTTP/1",
                                      "GET / HTTP/1.",
                                      "GET / HTTP/11",
                                      "GET / HTTP/1.10",
                                      "GET / HTTP/01.1",
                                      "GET / HTTP /1.1",
                                      "GET / a HTTP/1.1",
                                      "GET / HTTPS/1.1",
                                      "GET / FTP/1.1",
                                      "\"GET\" / HTTP/1.1",
                                      "G\x80T / HTTP/1.1",
                                      ": / HTTP/1.1"}) {
    CAPTURE(line);
    CHECK(status_of(std::string(line) + "\r\nHost: a\r\n\r\n") == 400);
  }
}

TEST_CASE("a version that we do not speak is 505, a minor one above 1 means 1.1 (RFC 9110 2.5, 15.6.6)") {
  CHECK(status_of("GET / HTTP/2.0\r\nHost: a\r\n\r\n") == 505);
  CHECK(status_of("GET / HTTP/0.9\r\nHost: a\r\n\r\n") == 505);
  CHECK(status_of("GET / HTTP/9.9\r\nHost: a\r\n\r\n") == 505);
  CHECK(status_of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == 505);
  CHECK(Whole("GET / HTTP/1.2\r\nHost: a\r\n\r\n").head.version == Version::kHttp11);
}

TEST_CASE("HTTP/0.9 is refused as soon as its line is there") {
  CHECK(Whole("GET /\r\n").step == Step::kBroken);
}

TEST_CASE("what does not begin like a method is refused at its first byte") {
  CHECK(Whole("\x16\x03\x01").step == Step::kBroken);  // a TLS client at a plain port
  CHECK(Whole(" ").step == Step::kBroken);
}

TEST_CASE("methods are tokens, known or not, and case matters (RFC 9110 9.1)") {
  CHECK(Whole("GET / HTTP/1.1\r\nHost: a\r\n\r\n").head.method == Method::kGet);
  CHECK(Whole("get / HTTP/1.1\r\nHost: a\r\n\r\n").head.method == Method::kOther);
  CHECK(Whole("PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n").head.method == Method::kOther);
  CHECK(reading_of("M-SEARCH / HTTP/1.1\r\nHost: a\r\n\r\n") == "M-SEARCH / a {Host=a,};");
}

TEST_CASE("absolute-form is taken apart and its authority wins over Host (RFC 9112 3.2.2)") {
  CHECK(reading_of("GET http://b.example:81/x?y HTTP/1.1\r\nHost: a\r\n\r\n") ==
        "GET /x?y b.example:81 {Host=a,};");
  CHECK(reading_of("GET HTTPS://b HTTP/1.1\r\nHost: a\r\n\r\n") == "GET / b {Host=a,};");
  CHECK(reading_of("GET http://b.example?q=/1 HTTP/1.1\r\nHost: a\r\n\r\n") ==
        "GET /?q=/1 b.example {Host=a,};");
  CHECK(reading_of("OPTIONS http://b HTTP/1.1\r\nHost: a\r\n\r\n") == "OPTIONS * b {Host=a,};");
  CHECK(reading_of("OPTIONS http://b? HTTP/1.1\r\nHost: a\r\n\r\n") == "OPTIONS /? b {Host=a,};");
  CHECK(reading_of("GET http://[::1]:80/ HTTP/1.1\r\nHost: a\r\n\r\n") == "GET / [::1]:80 {Host=a,};");
  for (const std::string_view target :
       {"http:///x", "http://", "http:/x", "http:x", "ftp://b/", "b/x", "b", "http://u@b/", "http://u:p@b/",
        "http://b:99999/", "http://b c/", "//b", "http://?x", "://b/"}) {
    CAPTURE(target);
    CHECK((target == "//b" ? 0 : 400) ==
          status_of("GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n"));
  }
  CHECK(status_of("GET http://b/ HTTP/1.1\r\n\r\n") == 400);  // Host is still needed
  CHECK(status_of("GET http://b/ HTTP/1.1\r\nHost: a b\r\n\r\n") == 400);
}

TEST_CASE("a head says whether its absolute-form is https") {
  CHECK(Whole("GET HTTPS://b/ HTTP/1.1\r\nHost: a\r\n\r\n").head.says_https);
  CHECK_FALSE(Whole("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n").head.says_https);
  CHECK_FALSE(Whole("GET /https://b/ HTTP/1.1\r\nHost: a\r\n\r\n").head.says_https);
}

TEST_CASE("asterisk-form is for OPTIONS, authority-form for CONNECT (RFC 9112 3.2.3, 3.2.4)") {
  CHECK(reading_of("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n") == "OPTIONS * a {Host=a,};");
  CHECK(status_of("GET * HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(status_of("OPTIONS *a HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(reading_of("CONNECT b.example:443 HTTP/1.1\r\nHost: b.example:443\r\n\r\n") ==
        "CONNECT b.example:443 b.example:443 {Host=b.example:443,};");
  CHECK_FALSE(Whole("CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n\r\n").head.keep_alive);
  for (const std::string_view target : {"/", "*", "b", "b:", "http://b:1/", "b:443/", "[::1]"}) {
    CAPTURE(target);
    CHECK(status_of("CONNECT " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  }
}

TEST_CASE("a target is visible ASCII without a fragment") {
  CHECK(reading_of("GET /\"<>[]^`{|}\\%zz HTTP/1.1\r\nHost: a\r\n\r\n") ==
        "GET /\"<>[]^`{|}\\%zz a {Host=a,};");
  for (const std::string& target : {std::string("/#a"), std::string("/\x80"), std::string("/\x7f"),
                                    std::string("/\x01"), std::string("/\0", 2), std::string("/\xc3\xa9")}) {
    CHECK(status_of("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  }
}

TEST_CASE("Host stands once and is a host (RFC 9112 3.2)") {
  CHECK(status_of("GET / HTTP/1.1\r\n\r\n") == 400);
  CHECK(status_of("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n") == 400);
  CHECK(status_of("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n") == 400);
  for (const std::string_view host :
       {"",       "a b",     "a,b",   "a/b",       "a@b",          "a:b",     "a:70000",
        "[::1",   "::1",     "[::g]", "[1.2.3.4]", "a\\b",         "a?b",     "a#b",
        "[::1]x", "a:80:80", "a\"",   "<a>",       "[::1%25eth0]", "\xc3\xa9"}) {
    CAPTURE(host);
    CHECK(status_of("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n") == 400);
  }
  for (const std::string_view host : {"a", "a.b.", "a:", "a:0", "a:65535", "127.0.0.1:80", "[::1]",
                                      "[2001:db8::1]:8000", "[::ffff:1.2.3.4]", "xn--a-_~", "a%20b"}) {
    CAPTURE(host);
    CHECK(status_of("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n") == 0);
  }
  CHECK(status_of("GET / HTTP/1.1\r\nHost: " + std::string(256, 'a') + "\r\n\r\n") == 400);
}

TEST_CASE("a field line has one form (RFC 9112 5)") {
  for (const std::string& line :
       {std::string("A : b"),    std::string("A b: c"),     std::string(": b"),
        std::string("A"),        std::string("A\t: b"),     std::string(" A: b"),
        std::string("\tA: b"),   std::string("A: b\r\n c"), std::string("A: b\r\n\tc"),
        std::string("A(: b"),    std::string("A\x80: b"),   std::string("A: b\x01"),
        std::string("A: b\x7f"), std::string("A: b\0c", 6), std::string("A\0: b", 5),
        std::string("A: b\rc"),  std::string("A: b\r"),     std::string("A: b\nB: c"),
        std::string("A: \r b"),  std::string("A: b\n"),     std::string("\n"),
        std::string("\"A\": b"), std::string("A\r: b")}) {
    CAPTURE(line);
    CHECK(status_of("GET / HTTP/1.1\r\nHost: a\r\n" + line + "\r\nC: d\r\n\r\n") == 400);
  }
  CHECK(
      reading_of("GET / HTTP/1.1\r\nHost: a\r\nA:b\r\nB: \t c \t\r\nC:\r\nD: \r\nE: \x80\xff a:b\r\n\r\n") ==
      "GET / a {Host=a,A=b,B=c,C=,D=,E=\x80\xff a:b,};");
  CHECK(status_of("GET / HTTP/1.1\r\n Host: a\r\n\r\n") ==
        400);  // white space behind the request-line, RFC 9112 2.2
}

TEST_CASE("lines end in CRLF and nothing else (RFC 9112 2.2)") {
  CHECK(status_of("GET / HTTP/1.1\nHost: a\n\n") == 400);
  CHECK(status_of("GET / HTTP/1.1\r\nHost: a\n\r\n") == 400);
  CHECK(status_of("GET / HTTP/1.1\r\nHost: a\r\n\n") == 400);
  CHECK(status_of("GET / HTTP/1.1\nHost: a\r\n\r\n") == 400);
  CHECK(status_of("GET / HTTP/1.1\r\r\nHost: a\r\n\r\n") == 400);
  CHECK(status_of("GET / HTTP/1.1\rX\r\nHost: a\r\n\r\n") == 400);
  CHECK(status_of("GET / HTTP/1.1\r\nHost: a\r\n\r\r\n\r\n") == 400);
}

TEST_CASE("Content-Length is digits, once (RFC 9112 6.3)") {
  for (const std::string_view value :
       {"", "+5", "-5", "5 ", "5,5", "5, 5", "5 5", "0x5", "5.0", "five", "1e1", "5;", "9223372036854775808",
        "18446744073709551616", "99999999999999999999", "\"5\""}) {
    CAPTURE(value);
    const bool is_trimmed = value == "5 ";
    CHECK((is_trimmed ? 0 : 400) ==
          status_of("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::string(value) + "\r\n\r\n"));
  }
  CHECK(status_of("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello") ==
        400);
  CHECK(status_of("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello") ==
        400);
  CHECK(Whole("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807\r\n\r\n")
            .head.content_length == 9223372036854775807U);
  CHECK(reading_of("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n") ==
        "POST / a {Host=a,Content-Length=0,};");
  CHECK(reading_of("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 002\r\n\r\nab") ==
        "POST / a {Host=a,Content-Length=002,}ab;");
  CHECK(status_of("POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\nhello") == 400);
}

TEST_CASE("Transfer-Encoding is chunked, once, alone and in HTTP/1.1 (RFC 9112 6.1)") {
  const auto with = [](std::string_view fields) {
    return status_of("POST / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n\r\n0\r\n\r\n");
  };
  CHECK(with("Transfer-Encoding: chunked") == 0);
  CHECK(with("transfer-encoding: CHUNKED") == 0);
  CHECK(with("Transfer-Encoding: chunked\r\nContent-Length: 5") == 400);
  CHECK(with("Content-Length: 5\r\nTransfer-Encoding: chunked") == 400);
  CHECK(with("Transfer-Encoding: gzip\r\nContent-Length: 5") == 400);
  CHECK(with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked") == 400);
  CHECK(with("Transfer-Encoding: chunked, chunked") == 400);
  CHECK(with("Transfer-Encoding: chunked,") == 400);
  CHECK(with("Transfer-Encoding: , chunked") == 400);
  CHECK(with("Transfer-Encoding:") == 400);
  CHECK(with("Transfer-Encoding: chunked;a=b") == 400);
  CHECK(with("Transfer-Encoding: \"chunked\"") == 400);
  CHECK(with("Transfer-Encoding: \vchunked") == 400);
  CHECK(with("Transfer-Encoding : chunked") == 400);
  CHECK(with("Transfer-Encoding: gzip") == 501);
  CHECK(with("Transfer-Encoding: gzip, chunked") == 501);
  CHECK(with("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked") == 501);
  CHECK(with("Transfer-Encoding: identity") == 501);
  CHECK(with("Transfer-Encoding: xchunked") == 501);
  CHECK(status_of("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == 400);
}

TEST_CASE("the chunked coding has one form (RFC 9112 7.1)") {
  const auto body = [](std::string_view chunks) {
    const std::string text =
        reading_of("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(chunks));
    return text.substr(text.find('}') + 1);
  };
  CHECK(body("0\r\n\r\n") == ";");
  CHECK(body("3\r\nabc\r\n0\r\n\r\n") == "abc;");
  CHECK(body("A\r\n0123456789\r\n000\r\n\r\n") == "0123456789;");
  CHECK(body("0000000000000003\r\nabc\r\n0\r\n\r\n") == "abc;");
  CHECK(body("3;a\r\nabc\r\n0;b=c;d=\"e;\\\"\"\r\n\r\n") == "abc;");
  CHECK(body("3 ; a = b\r\nabc\r\n0\r\n\r\n") == "abc;");
  CHECK(body("3\r\nabc\r\n0\r\nX-Sum: 1\r\nB:\r\n\r\n") == "abc;");
  for (const std::string& chunks : {std::string("\r\n"),
                                    std::string("x\r\n"),
                                    std::string("-3\r\nabc\r\n"),
                                    std::string("+3\r\nabc\r\n"),
                                    std::string("0x3\r\nabc\r\n"),
                                    std::string(" 3\r\nabc\r\n"),
                                    std::string("3 \r\nabc\r\n"),
                                    std::string("3;\r\nabc\r\n"),
                                    std::string("3;=\r\nabc\r\n"),
                                    std::string("3;a=\r\nabc\r\n"),
                                    std::string("3;a=\"\r\nabc\r\n"),
                                    std::string("3;a\x01\r\nabc\r\n"),
                                    std::string("3\nabc\r\n"),
                                    std::string("3;a\nabc\r\n"),
                                    std::string("3\r\r\nabc\r\n"),
                                    std::string("00000000000000003\r\nabc\r\n"),
                                    std::string("10000000000000000\r\n"),
                                    std::string("3;a b\r\nabc\r\n"),
                                    std::string("3,\r\nabc\r\n"),
                                    std::string(";a\r\n")}) {
    CAPTURE(chunks);
    CHECK(body(chunks) == "400");
  }
  CHECK(body("3\r\nabcd\r\n") == "abc400");
  CHECK(body("3\r\nabc\n0\r\n\r\n") == "abc400");
  CHECK(body("3\r\nabc\rx") == "abc400");
  CHECK(body("3\r\nabc0\r\n\r\n") == "abc400");
  CHECK(body("0\r\n\n") == "400");
  CHECK(body("0\r\nA : b\r\n\r\n") == "400");
  CHECK(body("0\r\n folded\r\n\r\n") == "400");
  CHECK(body("0\r\nA: b\n\r\n") == "400");
  CHECK(body("ffffffffffffffff\r\nabc") == "abc...");
}

TEST_CASE("extensions and trailers of one body are 8 KiB at most, in all") {
  const auto status = [](const std::string& chunks) {
    Reading reading;
    reading.take("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    reading.take(chunks);
    return reading.text().substr(reading.text().find('}') + 1);
  };
  const std::string kib(1023, 'x');
  std::string extensions, trailers = "0\r\n";
  for (int i = 0; i < 8; ++i) extensions += "1;" + kib + "\r\na\r\n";
  for (int i = 0; i < 8; ++i) trailers += "a: " + kib.substr(4) + "\r\n";
  CHECK(status(extensions + "0\r\n\r\n") == "aaaaaaaa;");
  CHECK(status(extensions + "1;a\r\n") == "aaaaaaaa400");
  CHECK(status(extensions + "0\r\na: b\r\n") == "aaaaaaaa400");
  CHECK(status(trailers + "\r\n") == ";");
  CHECK(status(trailers + "a: b\r\n") == "400");
  CHECK(status("1;" + std::string(9000, 'x')) == "400");  // without a line end in sight
  CHECK(status("0\r\na: " + std::string(9000, 'x')) == "400");
  CHECK(status(std::string(9000, '0')) == "400");
}

TEST_CASE("trailers are there as they came until the next message begins (RFC 9112 7.1.2)") {
  H1Reader reader;
  reader.begin(kMaxHead, kMaxFields);
  runtime::InBuffer in;
  RequestHead head;
  runtime::Slice body;
  feed::fill(in, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: 1\r\nb:2 \r\n\r\n");
  CHECK(reader.next(in, head, body) == Step::kHead);
  CHECK(reader.next(in, head, body) == Step::kEnd);
  CHECK(reader.trailers() == "A: 1\r\nb:2 \r\n");
  reader.next_message();
  feed::fill(in, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(reader.next(in, head, body) == Step::kHead);
  CHECK(reader.trailers().empty());
}

TEST_CASE("a head has bounds: 414, 431 (RFC 9110 15.5.15, RFC 6585 5)") {
  const std::string host = "\r\nHost: a\r\n";
  CHECK(status_of("GET /" + std::string(kMaxHead / 2, 'a') + " HTTP/1.1" + host + "\r\n") == 414);
  CHECK(status_of("GET /" + std::string(kMaxHead, 'a')) == 414);
  CHECK(status_of("GET / HTTP/1.1" + host + "A: " + std::string(kMaxHead, 'a')) == 431);
  CHECK(status_of("GET / HTTP/1.1" + host + "A: " + std::string(kMaxHead, 'a') + "\r\n\r\n") == 431);
  std::string many;
  for (std::size_t i = 0; i < kMaxFields - 1; ++i) many += "A: b\r\n";
  CHECK(status_of("GET / HTTP/1.1" + host + many + "\r\n") == 0);
  CHECK(status_of("GET / HTTP/1.1" + host + many + "A: b\r\n\r\n") == 431);
  const std::string begin = "GET / HTTP/1.1\r\nHost: a\r\nA: ";
  CHECK(status_of(begin + std::string(kMaxHead - begin.size() - 4, 'a') + "\r\n\r\n") == 0);
  CHECK(status_of(begin + std::string(kMaxHead - begin.size() - 3, 'a') + "\r\n\r\n") == 431);
}

TEST_CASE("keep-alive by version and Connection (RFC 9112 9.3)") {
  const auto keeps = [](std::string_view head) {
    return Whole(std::string(head) + "\r\n\r\n").head.keep_alive;
  };
  CHECK(keeps("GET / HTTP/1.1\r\nHost: a"));
  CHECK_FALSE(keeps("GET / HTTP/1.1\r\nHost: a\r\nConnection: close"));
  CHECK_FALSE(keeps("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, CLOSE"));
  CHECK_FALSE(keeps("GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nConnection: ,close,"));
  CHECK(keeps("GET / HTTP/1.1\r\nHost: a\r\nConnection: closed"));
  CHECK_FALSE(keeps("GET / HTTP/1.0"));
  CHECK(keeps("GET / HTTP/1.0\r\nConnection: Keep-Alive"));
  CHECK_FALSE(keeps("GET / HTTP/1.0\r\nConnection: keep-alive, close"));
}

TEST_CASE("100-continue is an expectation of HTTP/1.1 (RFC 9110 10.1.1)") {
  const auto expects = [](std::string_view head) {
    return Whole(std::string(head) + "\r\n\r\n").head.expects_continue;
  };
  CHECK(expects("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-Continue"));
  CHECK_FALSE(expects("POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue"));
  CHECK_FALSE(expects("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 200-ok"));
}

TEST_CASE("an upgrade is one if Connection names it, in HTTP/1.1 and without a body (RFC 9110 7.8)") {
  const auto upgrade = [](std::string_view fields) {
    const Whole whole("GET / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n\r\n");
    return std::string(whole.head.upgrade);
  };
  CHECK(upgrade("Connection: keep-alive, Upgrade\r\nUpgrade: websocket") == "websocket");
  CHECK(upgrade("Upgrade: websocket") == "");
  CHECK(upgrade("Connection: upgrade") == "");
  CHECK(upgrade("Connection: upgrade\r\nUpgrade:") == "");
  CHECK(upgrade("Connection: upgrade\r\nUpgrade: websocket\r\nUpgrade: other") == "");
  CHECK(upgrade("Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 1") == "");
  CHECK(upgrade("Connection: upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM") == "");
  CHECK(upgrade("Connection: upgrade\r\nUpgrade: websocket, H2C") == "");
  CHECK(upgrade("Connection: upgrade\r\nUpgrade: TLS/1.0, HTTP/1.1") == "");
  CHECK(Whole("GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n").head.upgrade.empty());
}

TEST_CASE("views of a head stay right while the buffer grows and moves") {
  // 16 KiB chunks: the head begins near the end of the first one, and the request-line is there long before
  // the rest.
  H1Reader reader;
  reader.begin(64 * 1024, 200);
  runtime::InBuffer in;
  RequestHead head;
  runtime::Slice body;
  const std::string long_value(20000, 'v');
  const std::string wire =
      "GET http://b?q HTTP/1.1\r\nHost: a\r\nFirst: 1\r\nLong: " + long_value + "\r\nLast: 2\r\n\r\nrest";
  feed::fill(in, std::string(16000, '-'));
  in.consume(16000);
  feed::fill(in, wire.substr(0, 45));
  const runtime::Slice held = {in.chunk(), in.bytes().data(), 1};  // shared: the next room() may have to move
  REQUIRE(reader.next(in, head, body) == Step::kMore);
  Step step = Step::kMore;
  for (std::size_t at = 45; at < wire.size() && step == Step::kMore; at += 500) {
    feed::fill(in, wire.substr(at, 500));
    step = reader.next(in, head, body);
  }
  REQUIRE(step == Step::kHead);
  CHECK(head.method_text == "GET");
  CHECK(head.target == "/?q");
  CHECK(head.authority == "b");
  REQUIRE(head.fields.size() == 4);
  CHECK(head.fields[1].value == "1");
  CHECK(head.fields[2].value == long_value);
  CHECK(head.fields[3].name == "Last");
  CHECK(in.bytes() == "rest");
}

TEST_CASE("a refused message ends the reading: nothing behind it is a request") {
  H1Reader reader;
  reader.begin(kMaxHead, kMaxFields);
  runtime::InBuffer in;
  RequestHead head;
  runtime::Slice body;
  feed::fill(in, "GET / HTTP/1.1\r\nBad\r\n\r\nGET /second HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(reader.next(in, head, body) == Step::kBroken);
  CHECK(reader.next(in, head, body) == Step::kBroken);
  CHECK(reader.refusal().status == 400);
  CHECK_FALSE(reader.refusal().reason.empty());
}
