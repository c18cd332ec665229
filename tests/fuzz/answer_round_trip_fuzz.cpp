// Differential: an app's answer that was accepted, prepared and written for a client is read back as the same
// answer. First byte: 1 if the request was HEAD.
#include "fuzz/expect.h"
#include "proxy/h1_writer.h"
#include "proxy/headers.h"
#include "upstream/request_writer.h"
#include "upstream/response_reader.h"

namespace {

using upstream::FieldId;
using upstream::Framing;
using upstream::Method;
using upstream::Step;

constexpr std::string_view kDate = "Tue, 24 Nov 2026 20:11:41 GMT";

struct Answer {
  std::string head;
  std::string body;
  std::string written;  ///< as a client would get it
  bool is_whole = false;
};

std::string describe(const upstream::ResponseHead& head) {
  std::string text = std::to_string(head.status) + "\n";
  for (const upstream::Field& field : head.fields) {
    if (field.id != FieldId::kDate && field.id != FieldId::kContentLength)
      text.append(field.name).append(": ").append(field.value).append("\n");
  }
  return text;
}

Answer read(std::string_view wire, Method method) {
  upstream::ResponseReader reader;
  reader.begin(method, false);
  runtime::InBuffer in;
  upstream::ResponseHead head;
  runtime::ByteQueue out;
  Answer answer;
  feed::fill(in, wire);
  for (;;) {
    runtime::Slice body;
    Step step = reader.next(in, head, body);
    if (step == Step::kMore) step = reader.on_close();
    switch (step) {
      case Step::kInterim:
        proxy::prepare_response(head, false);
        proxy::write_interim(head, out);
        break;
      case Step::kHead: {
        proxy::prepare_response(head, false);
        answer.head = describe(head);
        if (head.framing == Framing::kToClose) head.framing = Framing::kChunked;
        proxy::write_response_head(head, upstream::Version::kHttp11, true, head.framing, kDate, out);
        break;
      }
      case Step::kBody:
        answer.body.append(body.view());
        if (head.framing == Framing::kChunked)
          upstream::write_chunk(std::move(body), out);
        else
          out.append(std::move(body));
        break;
      case Step::kEnd:
        if (head.framing == Framing::kChunked) upstream::write_last_chunk(proxy::pass_trailers(reader.trailers()), out);
        answer.written = feed::text_of(out);
        answer.is_whole = true;
        return answer;
      case Step::kMore:
      case Step::kBroken:
        return answer;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Method method = (data[0] & 1) != 0 ? Method::kHead : Method::kGet;
  const Answer first = read(fuzz::text_of(data + 1, size - 1), method);
  if (!first.is_whole) return 0;
  const Answer second = read(first.written, method);
  fuzz::expect(second.is_whole, "what was written is an answer");
  fuzz::expect(first.body == second.body, "the body is the same");
  fuzz::expect(first.head == second.head, "the head is the same");
  return 0;
}
