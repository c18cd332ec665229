// The worker protocol, frame by frame: docs/worker-protocol.md. Answers are read whole, cut at every place,
// and byte by byte.
#include "upstream/worker_protocol.h"

#include <doctest/doctest.h>

#include "unit/feed.h"

using namespace upstream;
using namespace std::string_literals;

namespace {

constexpr std::uint8_t kLast = 1, kDone = 2;

std::string frame(std::uint8_t type, std::uint8_t flags, const std::string& payload = "") {
  const std::size_t n = payload.size();
  std::string bytes;
  for (const std::size_t byte : {n & 255, n >> 8 & 255, n >> 16 & 255, n >> 24 & 255})
    bytes += static_cast<char>(byte);
  return bytes + static_cast<char>(type) + static_cast<char>(flags) + "\0\0"s + payload;
}
std::string head(std::uint8_t flags, const std::string& payload) {
  return frame(16, flags, payload);
}
std::string body(std::uint8_t flags, const std::string& payload) {
  return frame(17, flags, payload);
}

/// "200 OK {Name=value,}body" then "|" when the body is whole, ";" at the end, "!" when broken, "+" when fit
/// for reuse.
std::string reading_once(const std::vector<std::string_view>& pieces, Method method) {
  WorkerAnswerReader reader;
  reader.begin(method);
  runtime::InBuffer in;
  ResponseHead answer;
  std::string text;
  bool is_over = false, is_followed = false;
  for (const std::string_view piece : pieces) {
    if (is_over) is_followed = true;
    feed::fill(in, piece);
    while (!is_over) {
      runtime::Slice slice;
      const bool was_whole = reader.body_is_whole();
      const Step step = reader.next(in, answer, slice);
      if (step == Step::kHead || step == Step::kInterim) {
        text += std::to_string(answer.status) + " " + std::string(answer.reason) + " {";
        for (const Field& field : answer.fields)
          text += std::string(field.name) + "=" + std::string(field.value) + ",";
        text += "}";
      }
      if (step == Step::kBody) text += std::string(slice.view());
      if (!was_whole && reader.body_is_whole()) text += "|";
      if (step == Step::kEnd) text += std::string(reader.trailers()) + ";";
      if (step == Step::kBroken) {
        CHECK_FALSE(reader.complaint().empty());
        text += reader.was_not_taken() ? "not taken" : "!";
      }
      is_over = step == Step::kEnd || step == Step::kBroken;
      if (step == Step::kMore) break;
    }
  }
  if (!is_over) text += "...";
  if (reader.may_reuse() && !is_followed) text += "+";
  return text;
}

std::string reading_of(const std::string& wire, Method method = Method::kGet) {
  const std::string expected = reading_once({wire}, method);
  for (const auto& pieces : feed::cuts(wire)) REQUIRE(reading_once(pieces, method) == expected);
  return expected;
}

}  // namespace

TEST_CASE("an answer in two frames, one, or many") {
  CHECK(reading_of(head(0, "200 OK\0Content-Length\0"s + "5") + body(kLast | kDone, "hello")) ==
        "200 OK {Content-Length=5,}hello|;+");
  CHECK(reading_of(head(kLast | kDone, "204 No Content")) == "204 No Content {}|;+");
  CHECK(reading_of(head(0, "200 OK\0A\0b\0C\0"s) + body(0, "he") + body(0, "") + body(0, "llo") +
                   body(kLast, "") + frame(19, kDone)) == "200 OK {A=b,C=,}hello|;+");
}

TEST_CASE("trailers are the last of a body, which may have a length") {
  const auto trailers = [](std::uint8_t flags, const std::string& payload) { return frame(21, flags, payload); };
  const std::string hello = head(0, "200 OK") + body(0, "hello");
  CHECK(reading_of(hello + trailers(kLast | kDone, "X-Sum\0" "1\0a\0"s)) == "200 OK {}hello|X-Sum: 1\r\na: \r\n;+");
  CHECK(reading_of(hello + trailers(kLast, "a\0b"s) + frame(19, kDone)) == "200 OK {}hello|a: b\r\n;+");
  CHECK(reading_of(hello + trailers(kLast | kDone, "")) == "200 OK {}hello|;+");
  CHECK(reading_of(head(0, "200 OK\0Content-Length\0"s + "1") + body(0, "x") + trailers(kLast | kDone, "a\0b"s)) ==
        "200 OK {Content-Length=1,}x|a: b\r\n;+");
  for (const std::string& broken :
       {trailers(0, "a\0b"s), trailers(kLast, "a"), trailers(kLast, "a\0b\0c"s), trailers(kLast, "a b\0c"s),
        trailers(kLast, "a\0b\r\nc: d"s), trailers(kLast, "a\0"s + std::string(8192, 'x')),
        body(kLast, "") + trailers(kLast, "a\0b"s)}) {
    CHECK(reading_of(hello + broken).ends_with("!"));
  }
  CHECK(reading_of(trailers(kLast, "a\0b"s)) == "!");
  CHECK(reading_of(head(0, "204 No Content") + trailers(kLast, "a\0b"s)) == "204 No Content {}!");
  CHECK(reading_of(head(0, "200 OK\0Content-Length\0"s + "1") + trailers(kLast, "a\0b"s)).back() == '!');
}

TEST_CASE("the body may be whole before the worker has let go") {
  CHECK(reading_of(head(0, "200 OK") + body(kLast, "x")) == "200 OK {}x|...");
  CHECK(reading_of(head(kLast, "200 OK")) == "200 OK {}|...");
}

TEST_CASE("how a body ends is known from its head") {
  const auto framing_of = [](std::uint8_t flags, const std::string& payload, Method method) {
    WorkerAnswerReader reader;
    reader.begin(method);
    runtime::InBuffer in;
    ResponseHead answer;
    runtime::Slice slice;
    feed::fill(in, head(flags, payload));
    REQUIRE(reader.next(in, answer, slice) == Step::kHead);
    return answer.framing;
  };
  CHECK(framing_of(0, "200 OK", Method::kGet) == Framing::kChunked);
  CHECK(framing_of(0, "200 OK\0content-length\0"s + "1", Method::kGet) == Framing::kLength);
  CHECK(framing_of(kLast, "200 OK", Method::kGet) == Framing::kLength);
  CHECK(framing_of(kLast, "200 OK\0content-length\0"s + "1", Method::kHead) == Framing::kNone);
  CHECK(framing_of(kLast, "304 Not Modified\0content-length\0"s + "1", Method::kGet) == Framing::kNone);
}

TEST_CASE("interim answers come before the head, sixteen at most") {
  CHECK(reading_of(frame(18, 0, "103 Early Hints\0Link\0"s + "x") + head(kLast | kDone, "200 OK")) ==
        "103 Early Hints {Link=x,}200 OK {}|;+");
  std::string many;
  for (int i = 0; i < 16; ++i) many += frame(18, 0, "102 Processing");
  CHECK(reading_of(many).back() == '.');
  CHECK(reading_of(many + frame(18, 0, "102 Processing")).back() == '!');
  CHECK(reading_of(frame(18, 0, "200 OK")) == "!");
  CHECK(reading_of(frame(18, 0, "101 Switching Protocols")) == "!");
  CHECK(reading_of(frame(18, kLast, "103 Early Hints")) == "!");
  CHECK(reading_of(head(0, "103 Early Hints")) == "!");
  CHECK(reading_of(head(0, "101 Switching Protocols")) == "!");
}

TEST_CASE("a worker that is leaving does not take the request") {
  CHECK(reading_of(frame(20, kDone)) == "not taken");
  CHECK(reading_of(head(0, "200 OK") + frame(20, kDone)) == "200 OK {}!");
  CHECK(reading_of(frame(20, kDone, "x")) == "!");
}

TEST_CASE("what stands behind the end keeps the connection from another exchange") {
  CHECK(reading_of(head(kLast | kDone, "200 OK") + "x") == "200 OK {}|;");
  CHECK(reading_of(head(kLast | kDone, "200 OK") + head(kLast | kDone, "200 OK")) == "200 OK {}|;");
}

TEST_CASE("a body is as long as its Content-Length, and only where there can be one") {
  const std::string five = head(0, "200 OK\0Content-Length\0"s + "5");
  CHECK(reading_of(five + body(0, "hell") + body(kLast | kDone, "")) == "200 OK {Content-Length=5,}hell!");
  CHECK(reading_once({five + body(kLast | kDone, "hell")}, Method::kGet).back() == '!');
  CHECK(reading_of(five + body(0, "hello") + body(0, "o")) == "200 OK {Content-Length=5,}hello!");
  CHECK(reading_of(head(kLast | kDone, "200 OK\0Content-Length\0"s + "5")).back() == '!');
  CHECK(reading_of(head(0, "200 OK") + body(0, "x"), Method::kHead).back() == '!');
  CHECK(reading_of(head(0, "204 No Content") + body(0, "x")).back() == '!');
  CHECK(reading_of(head(0, "200 OK\0Content-Length\0"s + "5") + body(kLast | kDone, ""), Method::kHead) ==
        "200 OK {Content-Length=5,}|;+");
}

TEST_CASE("frames out of order, too long, of unknown type or with unknown flags are broken") {
  CHECK(reading_of(body(kLast | kDone, "x")) == "!");
  CHECK(reading_of(frame(19, kDone)) == "!");
  CHECK(reading_of(head(0, "200 OK") + head(0, "200 OK")).back() == '!');
  CHECK(reading_of(head(0, "200 OK") + body(kLast, "x") + body(kLast, "x")).back() == '!');
  CHECK(reading_of(head(0, "200 OK") + body(kDone, "x")).back() == '!');
  CHECK(reading_of(head(kDone, "200 OK")).back() == '!');
  CHECK(reading_of(head(0, "200 OK") + frame(19, kDone)).back() == '!');
  CHECK(reading_of(head(kLast, "200 OK") + frame(19, kDone, "x")).back() == '!');
  CHECK(reading_of(head(kLast, "200 OK") + frame(19, kLast | kDone)).back() == '!');
  CHECK(reading_of(frame(1, 0)) == "!");
  CHECK(reading_of(frame(0, 0)) == "!");
  CHECK(reading_of(frame(255, 0)) == "!");
  CHECK(reading_of(frame(16, 4, "200 OK")) == "!");
  CHECK(reading_of("\6\0\0\0\x10\0\1\0"s + "200 OK") == "!");
  CHECK(reading_of("\1\0\4\0\x10\0\0\0"s) == "!");  // a head of 256 KiB and a byte
  CHECK(reading_of(head(0, "200 OK") + "\1\0\1\0\x11\0\0\0"s).back() ==
        '!');  // a body frame of 64 KiB and a byte
  CHECK(reading_of("\xff\xff\xff\xff\x11\0\0\0"s) == "!");
}

TEST_CASE("a head that is none is broken") {
  for (const std::string& payload : {""s,
                                     "20"s,
                                     "2000"s,
                                     "abc OK"s,
                                     "099 OK"s,
                                     "600 OK"s,
                                     "200OK"s,
                                     "200 O\nK"s,
                                     "200 OK\0A"s,
                                     "200 OK\0A\0b\0C"s,
                                     "200 OK\0"s,
                                     "200 OK\0\0"s,
                                     "200 OK\0\0b"s,
                                     "200 OK\0A b\0c"s,
                                     "200 OK\0A:\0c"s,
                                     "200 OK\0A\0b\r\nC: d"s,
                                     "200 OK\0A\0b\nc"s,
                                     "200 OK\0A\0\x7f"s,
                                     "200 OK\0Content-Length\0"s + "1\0Content-Length\0"s + "1",
                                     "200 OK\0Content-Length\0x"s,
                                     "200 OK\0Content-Length\0"s,
                                     "200 OK\0Content-Length\0-1"s}) {
    CAPTURE(payload);
    CHECK(reading_of(head(0, payload)) == "!");
  }
}

TEST_CASE("a head of 1024 fields is taken, one more is not") {
  std::string payload = "200 OK";
  for (int i = 0; i < 1024; ++i) payload += "\0A\0b"s;
  CHECK(reading_once({head(kLast | kDone, payload)}, Method::kGet).back() == '+');
  CHECK(reading_once({head(kLast | kDone, payload + "\0A\0b"s)}, Method::kGet).back() == '!');
}

TEST_CASE("a body goes to the worker in frames of 64 KiB at most") {
  runtime::ByteQueue out;
  write_body_frame({}, false, out);
  CHECK(out.is_empty());
  runtime::InBuffer in;
  const std::string text(100000, 'x');
  feed::fill(in, text);
  write_body_frame(in.take(text.size()), true, out);
  CHECK(feed::text_of(out) == frame(2, 0, text.substr(0, 65536)) + frame(2, kLast, text.substr(65536)));
  out.clear();
  write_body_frame({}, true, out);
  CHECK(feed::text_of(out) == frame(2, kLast));
  out.clear();
  write_abandon(out);
  CHECK(feed::text_of(out) == frame(3, 0));
}

TEST_CASE("101 is the head of a tunnel where the client has asked for one, and nothing else is") {
  const auto read = [](const std::string& bytes, bool asked_upgrade) {
    WorkerAnswerReader reader;
    reader.begin(Method::kGet, asked_upgrade);
    runtime::InBuffer in;
    feed::fill(in, bytes);
    ResponseHead answer;
    std::vector<Step> steps;
    do {
      runtime::Slice slice;
      steps.push_back(reader.next(in, answer, slice));
    } while (steps.back() == Step::kHead || steps.back() == Step::kBody);
    return steps;
  };
  const std::string switching = head(0, "101 Switching Protocols\0upgrade\0websocket"s);
  CHECK(read(switching + body(0, "a") + body(kLast | kDone, "b"), true) ==
        std::vector<Step>{Step::kHead, Step::kBody, Step::kBody, Step::kEnd});
  CHECK(read(switching, false) == std::vector<Step>{Step::kBroken});
  CHECK(read(frame(18, 0, "101 Switching Protocols"), true) == std::vector<Step>{Step::kBroken});
  CHECK(read(head(0, "200 OK") + body(kLast | kDone, "b"), true) == std::vector<Step>{Step::kHead, Step::kBody, Step::kEnd});
}
