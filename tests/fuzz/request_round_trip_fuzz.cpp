// Differential: what the request reader accepts, the request writer writes and the reader reads back is the
// same message. First byte: how the bytes come.
#include "fuzz/expect.h"
#include "proxy/h1_reader.h"
#include "proxy/headers.h"
#include "upstream/field_set.h"
#include "upstream/request_writer.h"

namespace {

using upstream::FieldId;
using upstream::Framing;
using upstream::Step;

constexpr upstream::FieldSet kHopsOwn{
    FieldId::kHost,       FieldId::kContentLength, FieldId::kTransferEncoding,
    FieldId::kConnection, FieldId::kUpgrade,       FieldId::kTe};

struct Message {
  std::string head;
  std::string body, trailers;
  std::string written;  ///< as an app would get it
  bool is_whole = false;
};

std::string describe(const upstream::RequestHead& head) {
  std::string text;
  text.append(head.method_text)
      .append(" ")
      .append(head.target)
      .append(" ")
      .append(head.path)
      .append("?")
      .append(head.query);
  text.append("\n").append(head.authority).append("\n").append(head.upgrade).append("\n");
  text.append(head.takes_trailers ? "takes trailers\n" : "\n");
  for (const upstream::Field& field : head.fields) {
    if (!kHopsOwn.has(field.id)) text.append(field.name).append(": ").append(field.value).append("\n");
  }
  return text;
}

/// The first message of `wire`, if it is one.
Message read(const std::vector<std::string_view>& pieces) {
  proxy::H1Reader reader;
  reader.begin(256 * 1024, 1000);
  runtime::InBuffer in;
  upstream::RequestHead head;
  runtime::ByteQueue out;
  Message message;
  for (const std::string_view piece : pieces) {
    feed::fill(in, piece);
    for (bool goes_on = true; goes_on;) {
      runtime::Slice body;
      switch (reader.next(in, head, body)) {
        case Step::kMore:
          goes_on = false;
          break;
        case Step::kHead:
          if (head.method == upstream::Method::kConnect || head.authority.empty())
            return message;  // never written as they are
          message.head = describe(head);
          upstream::write_request(head, {}, head.framing, head.content_length, out);
          break;
        case Step::kBody:
          message.body.append(body.view());
          if (head.framing == Framing::kChunked)
            upstream::write_chunk(std::move(body), out);
          else
            out.append(std::move(body));
          break;
        case Step::kEnd:
          message.trailers = proxy::pass_trailers(reader.trailers());
          if (head.framing == Framing::kChunked) upstream::write_last_chunk(message.trailers, out);
          message.written = feed::text_of(out);
          message.is_whole = true;
          return message;
        case Step::kBroken:
        case Step::kInterim:
          return message;
      }
    }
  }
  return message;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Message first = read(fuzz::pieces_of(fuzz::text_of(data + 1, size - 1), data[0]));
  if (!first.is_whole) return 0;
  const Message second = read({first.written});
  fuzz::expect(second.is_whole, "what was written is a message");
  fuzz::expect(first.body == second.body, "the body is the same");
  fuzz::expect(first.trailers == second.trailers, "the trailers are the same");
  fuzz::expect(first.head == second.head, "the head is the same");
  // Chunks that come together are joined, so what came in pieces may become shorter, once.
  fuzz::expect(second.written == read({second.written}).written, "and what was written stays so");
  return 0;
}
