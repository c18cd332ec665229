// What a Python worker says, sound or not: inside its input, bounded, and the same however the bytes come.
// First byte: how they are cut; second: 1 if the request was HEAD.
#include "fuzz/expect.h"
#include "upstream/grammar.h"
#include "upstream/worker_protocol.h"

namespace {

using upstream::Framing;
using upstream::Method;
using upstream::Step;

std::string read(const std::vector<std::string_view>& pieces, std::uint8_t asked) {
  upstream::WorkerAnswerReader reader;
  reader.begin((asked & 1) != 0 ? Method::kHead : Method::kGet);
  runtime::InBuffer in;
  upstream::ResponseHead head;
  std::string text;
  std::uint64_t body_size = 0;
  Framing framing = Framing::kNone;
  for (const std::string_view piece : pieces) {
    feed::fill(in, piece);
    for (bool goes_on = true; goes_on;) {
      runtime::Slice body;
      switch (reader.next(in, head, body)) {
        case Step::kMore:
          goes_on = false;
          break;
        case Step::kHead:
          framing = head.framing;
          [[fallthrough]];
        case Step::kInterim:
          text.append(std::to_string(head.status)).append(head.reason).append("\n");
          fuzz::append(text, head.fields);
          for (const upstream::Field& field : head.fields) {
            fuzz::expect(upstream::is_token(field.name) && upstream::is_field_value(field.value),
                         "a field is one");
            fuzz::expect_inside(field.name, in.chunk());
          }
          break;
        case Step::kBody:
          fuzz::expect(body.size > 0 && framing != Framing::kNone, "a body only where there can be one");
          body_size += body.size;
          text.append(body.view());
          break;
        case Step::kEnd:
          fuzz::expect(reader.body_is_whole(), "the end is behind the whole body");
          fuzz::expect(framing != Framing::kLength || body_size == head.content_length,
                       "a body is as long as it says");
          return text.append(";");
        case Step::kBroken:
          fuzz::expect(!reader.complaint().empty() && !reader.may_reuse(),
                       "a broken answer says why, and ends the connection");
          return text.append(reader.was_not_taken() ? "not taken" : "!");
      }
    }
  }
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
