#include "upstream/chunked_reader.h"

#include "doctest_precompiled.h"
#include "unit/feed.h"

namespace {

using upstream::Step;

/// The pieces of a body that comes at once, each behind a '|', and how it ended.
std::string pieces_of(const std::string& wire) {
  upstream::ChunkedReader reader;
  reader.begin();
  runtime::InBuffer in;
  feed::fill(in, wire);
  std::string text;
  for (;;) {
    runtime::Slice piece;
    const Step step = reader.next(in, piece);
    if (step == Step::kBody) text.append("|").append(piece.view());
    if (step == Step::kMore) return text + " ...";
    if (step == Step::kEnd) return text + " end";
    if (step == Step::kBroken) return text + " " + std::string(reader.complaint());
  }
}

}  // namespace

TEST_CASE("short chunks that are there together are one piece") {
  CHECK(pieces_of("1\r\na\r\n2\r\nbc\r\n0F\r\n0123456789abcde\r\n0\r\n\r\n") == "|abc0123456789abcde end");
  CHECK(pieces_of("3\r\nabc\r\n1\r\nd") == "|abcd ...");
}

TEST_CASE("what is no short, plain chunk is a piece of its own, or an error") {
  CHECK(pieces_of("1\r\na\r\n1;x=y\r\nb\r\n0\r\n\r\n") == "|a|b end");
  CHECK(pieces_of("1\r\na\r\n001\r\nb\r\n0\r\n\r\n") == "|a|b end");
  CHECK(pieces_of("1\r\na\r\n2\r\nb") == "|a|b ...");
  CHECK(pieces_of("1\r\na\r\n00\r\n\r\n") == "|a end");
  CHECK(pieces_of("1\r\na\r\n1\rxb\r\n") == "|a a chunk's size is followed by what is no extension");
  CHECK(pieces_of("1\r\na\r\n1\nxxb\r\n") == "|a a line of the chunked coding does not end in CRLF");
  CHECK(pieces_of("1\r\na\r\nx1\r\nb\r\n") == "|a a chunk's size is not a number");
  CHECK(pieces_of("1\r\nab\r\n1\r\nb\r\n") == "|a a chunk's data is not as long as its size says");
}
