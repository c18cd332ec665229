// The chunked coding: what it takes is what RFC 9112 7.1 says, nothing behind it is touched, and it is the
// same however the bytes come. First byte: how they are cut.
#include "upstream/chunked_reader.h"

#include "fuzz/expect.h"

namespace {

using upstream::Step;

/// The body, or why it is none; `taken`: bytes of the wire that belong to it.
std::string read(const std::vector<std::string_view>& pieces, std::size_t& taken, bool& has_ended) {
  upstream::ChunkedReader reader;
  reader.begin();
  runtime::InBuffer in;
  std::string text;
  taken = 0;
  has_ended = false;
  for (const std::string_view piece : pieces) {
    feed::fill(in, piece);
    taken += piece.size();
    for (bool goes_on = true; goes_on;) {
      runtime::Slice body;
      switch (reader.next(in, body)) {
        case Step::kMore:
          fuzz::expect(in.bytes().size() < upstream::ChunkedReader::kMostExtra + piece.size() + 16 * 1024,
                       "what waits in the buffer is bounded");
          goes_on = false;
          break;
        case Step::kBody:
          fuzz::expect(body.size > 0, "a piece of a body is not empty");
          text.append(body.view());
          break;
        case Step::kEnd:
          taken -= in.bytes().size();
          has_ended = true;
          return text;
        case Step::kBroken:
          fuzz::expect(!reader.complaint().empty(), "a refusal says why");
          return text.append("!").append(reader.complaint());
        case Step::kHead:
        case Step::kInterim:
          fuzz::expect(false, "a body has no head");
      }
    }
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view wire = fuzz::text_of(data + 1, size - 1);
  std::size_t whole = 0, cut = 0;
  bool has_ended = false, has_ended_cut = false;
  const std::string body = read(fuzz::pieces_of(wire, 0), whole, has_ended);
  fuzz::expect(body == read(fuzz::pieces_of(wire, data[0]), cut, has_ended_cut),
               "how bytes come does not matter");
  fuzz::expect(has_ended == has_ended_cut, "nor for whether it ends");
  if (!has_ended) return 0;
  fuzz::expect(whole == cut, "the end is where it is, however bytes come");
  // RFC 9112 7.1: last-chunk, trailers, and one empty line.
  fuzz::expect(wire.substr(0, whole).ends_with("\r\n\r\n"), "a body ends with an empty line");
  std::size_t again = 0;
  fuzz::expect(read({wire.substr(0, whole)}, again, has_ended) == body && has_ended,
               "what follows does not matter");
  return 0;
}
