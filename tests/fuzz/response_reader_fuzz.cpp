// The response reader: inside its input, and the same however the bytes come. First byte: how they are cut;
// second: what was asked (1: HEAD, 2: an upgrade), and whether the app closes its side at the end (4).
#include "upstream/response_reader.h"

#include "fuzz/expect.h"

namespace {

using upstream::Method;
using upstream::Step;

std::string read(const std::vector<std::string_view>& pieces, std::uint8_t asked) {
  upstream::ResponseReader reader;
  reader.begin((asked & 1) != 0 ? Method::kHead : Method::kGet, (asked & 2) != 0);
  runtime::InBuffer in;
  upstream::ResponseHead head;
  std::string text;
  unsigned interim = 0;
  for (const std::string_view piece : pieces) {
    feed::fill(in, piece);
    for (bool goes_on = true; goes_on;) {
      runtime::Slice body;
      switch (reader.next(in, head, body)) {
        case Step::kMore:
          goes_on = false;
          break;
        case Step::kInterim:
          fuzz::expect(head.is_interim() && ++interim <= upstream::ResponseReader::kMostInterim,
                       "interim heads are bounded");
          [[fallthrough]];
        case Step::kHead:
          text.append(std::to_string(head.status)).append(head.reason).append("\n");
          fuzz::append(text, head.fields);
          fuzz::expect(head.fields.size() <= upstream::ResponseReader::kMaxFields, "fields are bounded");
          for (const upstream::Field& field : head.fields) fuzz::expect_inside(field.name, in.chunk());
          if (head.status == 101) return text;
          break;
        case Step::kBody:
          fuzz::expect(body.size > 0, "a piece of a body is not empty");
          text.append(body.view());
          break;
        case Step::kEnd:
          return text.append(";");
        case Step::kBroken:
          fuzz::expect(!reader.complaint().empty() && !reader.may_reuse(),
                       "a broken answer says why, and ends the connection");
          return text.append("!");
      }
    }
  }
  if ((asked & 4) != 0) text.append(reader.on_close() == Step::kEnd ? ";" : "!");
  fuzz::expect((asked & 4) == 0 || !reader.may_reuse(), "a closed connection is not used again");
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view wire = fuzz::text_of(data + 2, size - 2);
  fuzz::expect(read(fuzz::pieces_of(wire, 0), data[1]) == read(fuzz::pieces_of(wire, data[0]), data[1]),
               "how bytes come does not matter");
  return 0;
}
