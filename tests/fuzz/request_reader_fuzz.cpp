// The request reader: bounded, inside its input, and the same however the bytes come. First byte: how they
// are cut.
#include "proxy/h1_reader.h"

#include "fuzz/expect.h"

namespace {

using upstream::Step;

constexpr runtime::Bytes kMaxHead = 4096;
constexpr std::size_t kMaxFields = 32;

std::string read(const std::vector<std::string_view>& pieces) {
  proxy::H1Reader reader;
  reader.begin(kMaxHead, kMaxFields);
  runtime::InBuffer in;
  upstream::RequestHead head;
  std::string text;
  std::uint64_t body_size = 0;
  for (const std::string_view piece : pieces) {
    feed::fill(in, piece);
    for (bool goes_on = true; goes_on;) {
      runtime::Slice body;
      switch (reader.next(in, head, body)) {
        case Step::kMore:
          fuzz::expect(in.bytes().size() < kMaxHead + piece.size() + 16 * 1024,
                       "what waits in the buffer is bounded");
          goes_on = false;
          break;
        case Step::kHead:
          body_size = 0;
          text.append(head.method_text)
              .append(" ")
              .append(head.path)
              .append("?")
              .append(head.query)
              .append(" ");
          text.append(head.authority).append(head.keep_alive ? " keeps\n" : " closes\n");
          fuzz::append(text, head.fields);
          fuzz::expect(head.fields.size() <= kMaxFields, "fields are bounded");
          fuzz::expect_inside(head.target, in.chunk());
          fuzz::expect_inside(head.authority, in.chunk());
          for (const upstream::Field& field : head.fields) fuzz::expect_inside(field.name, in.chunk());
          break;
        case Step::kBody:
          fuzz::expect(body.size > 0, "a piece of a body is not empty");
          body_size += body.size;
          text.append(body.view());
          break;
        case Step::kEnd:
          fuzz::expect(reader.body_has_ended(), "the end is the end");
          fuzz::expect(head.framing != upstream::Framing::kLength || body_size == head.content_length,
                       "a body is as long as it says");
          text.append(";\n");
          reader.next_message();
          break;
        case Step::kBroken:
          fuzz::expect(reader.refusal().status >= 400 && !reader.refusal().reason.empty(),
                       "a refusal says why");
          return text.append(std::to_string(reader.refusal().status));
        case Step::kInterim:
          fuzz::expect(false, "a request is never interim");
      }
    }
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view wire = fuzz::text_of(data + 1, size - 1);
  fuzz::expect(read(fuzz::pieces_of(wire, 0)) == read(fuzz::pieces_of(wire, data[0])),
               "how bytes come does not matter");
  return 0;
}
