#include "proxy/websocket_frames.h"

#include "doctest_precompiled.h"
#include "unit/feed.h"

namespace {

using namespace std::string_literals;

/// Each byte of the wire as what is known behind it: '|' a frame has ended, '.' one is under way, 'C' Close has come, '?' nothing
/// is known any more.
std::string marks_of(const std::vector<std::string_view>& pieces) {
  proxy::WebsocketFrames frames;
  frames.begin();
  std::string marks;
  for (std::string_view piece : pieces) {
    while (!piece.empty()) {
      const bool had_closed = frames.has_closed();
      const std::size_t n = frames.next(piece);
      REQUIRE(n > 0);
      REQUIRE(n <= piece.size());
      const char mark = !frames.is_counting() ? '?' : frames.has_closed() ? 'C' : frames.is_between_frames() ? '|' : '.';
      marks.append(n - 1, mark == '?' || had_closed ? mark : '.').append(1, mark);
      piece.remove_prefix(n);
    }
  }
  return marks;
}

/// The same, however it comes: byte by byte it says most.
std::string marks_of(const std::string& wire) {
  const auto cuts = feed::cuts(wire);
  const std::string marks = marks_of(cuts.back());
  for (const auto& pieces : cuts) {
    const std::string again = marks_of(pieces);
    CHECK(again.back() == marks.back());
    // As soon as one piece is known to be no frame, nothing in it is.
    for (std::size_t i = 0; i < marks.size(); ++i) CHECK((again[i] == marks[i] || again[i] == '?'));
  }
  return marks;
}

const std::string kHi = "\x81\x02hi", kClose = "\x88\x02\x03\xf4";

}  // namespace

TEST_CASE("a frame ends where RFC 6455 5.2 says, however its head and its payload come") {
  CHECK(marks_of(kHi) == "...|");
  CHECK(marks_of("\x82\x00"s) == ".|");
  CHECK(marks_of("\x01\x01x\x00\x01y\x80\x00"s) == "..|..|.|");           // one message in three frames
  CHECK(marks_of("\x01\x01x\x89\x00\x80\x01y"s) == "..|.|..|");           // a Ping in the middle of it
  CHECK(marks_of("\xc1\x02hi\x8a\x01x") == "...|..|");                    // compressed; Pong
  CHECK(marks_of("\x82\x7d" + std::string(125, 'x')) == std::string(126, '.') + "|");
  CHECK(marks_of("\x82\x7e\x00\x7e"s + std::string(126, 'x') + kHi) == std::string(129, '.') + "|...|");
  CHECK(marks_of("\x82\x7e\x01\x00"s + std::string(255, 'x')) == std::string(259, '.'));
}

TEST_CASE("a length takes up to eight bytes, and a payload is not looked at") {
  const std::string large(70'000, '\x88');
  const std::string head = "\x82\x7f\x00\x00\x00\x00\x00\x01\x11\x70"s;
  for (const std::size_t cut : {1UL, 2UL, 5UL, 9UL, 10UL, 11UL, 40'000UL, 70'009UL}) {
    const std::string wire = head + large;
    const std::string_view text = wire;
    const std::string marks = marks_of(std::vector{text.substr(0, cut), text.substr(cut)});
    CHECK(marks.find('|') == wire.size() - 1);
    CHECK(marks.find('?') == std::string::npos);
  }
  // The largest there is: it is under way for ever.
  CHECK(marks_of("\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"s + kHi) == std::string(14, '.'));
}

TEST_CASE("behind Close there is nothing more to come") {
  CHECK(marks_of(kHi + kClose) == "...|...C");
  CHECK(marks_of("\x88\x00x\xff\xff"s) == ".CCCC");
}

TEST_CASE("what no server may send is not counted any more") {
  CHECK(marks_of("\x81\x82mask\x01\x02"s) == ".???????");  // masked
  CHECK(marks_of(kHi + "\x83\x00"s) == "...|??");          // reserved opcodes
  CHECK(marks_of("\x8b\x00"s) == "??");
  CHECK(marks_of("\x09\x00"s) == "??");                    // a control frame in several
  CHECK(marks_of("\x89\x7e\x00\x80"s) == ".???");          // or too long
  CHECK(marks_of("\x81\x7e\x00\x7d"s) == "...?");          // a length in more bytes than it takes
  CHECK(marks_of("\x81\x7f\x00\x00\x00\x00\x00\x00\xff\xff"s) == ".........?");
  CHECK(marks_of("\x81\x7f\x80\x00\x00\x00\x00\x01\x00\x00"s) == ".........?");
  CHECK(marks_of("HTTP") == std::string(4, '?'));
}

TEST_CASE("what is no WebSocket is not counted, and all of it goes through") {
  proxy::WebsocketFrames frames;
  CHECK(frames.next(kHi) == kHi.size());
  CHECK_FALSE(frames.is_counting());
  CHECK_FALSE(frames.is_between_frames());
  frames.begin();
  CHECK(frames.is_counting());
  CHECK(frames.is_between_frames());
  CHECK(frames.next({}) == 0);
}
