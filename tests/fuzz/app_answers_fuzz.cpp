// What an app says, sound or not, through a whole front to a sound client: what the client hears is an answer
// to the letter, or the connection breaks, and nothing is left behind. First byte: how the app's bytes are
// cut; second: what was asked, and 128: the app closes when it has said all.
#include "fuzz/front.h"
#include "upstream/response_reader.h"

namespace {

using upstream::Method;
using upstream::Step;

struct Question {
  std::string_view text;
  Method method = Method::kGet;
};

constexpr std::array<Question, 7> kQuestions{{
    {"GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", Method::kHead},
    {"GET / HTTP/1.0\r\n\r\n"},
    {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTE: trailers\r\n\r\n"},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", Method::kPost},
    {"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello"},
    {{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0\0\0\6\1\5\0\0\0\1\x82\x86\x84\x41\1a",
      24 + 9 + 9 + 6}},
}};
constexpr std::size_t kUpgrade = 5, kH2 = 6;

/// Read as strictly as we read an app.
void expect_answer(std::string_view bytes, Method method) {
  upstream::ResponseReader reader;
  reader.begin(method, false);
  runtime::InBuffer in;
  feed::fill(in, bytes);
  upstream::ResponseHead head;
  for (;;) {
    runtime::Slice body;
    switch (reader.next(in, head, body)) {
      case Step::kInterim:
      case Step::kHead:
      case Step::kBody:
        break;
      case Step::kMore:
        return;  // cut off
      case Step::kEnd:
        return fuzz::expect(in.is_empty(), "one question, one answer");
      case Step::kBroken:
        return fuzz::expect(false, "what a client hears is an answer");
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::size_t number = (data[1] & 0x7f) % kQuestions.size();
  const Question& question = kQuestions[number];
  fuzz::Script script{.closes = (data[1] & 0x80) != 0};
  script.pieces = fuzz::pieces_of(fuzz::text_of(data + 2, size - 2), data[0]);
  const std::string received =
      fuzz::Front::get().play({question.text}, script, /*client_reads=*/true, /*half_closes=*/false);
  const bool is_tunnel = number == kUpgrade && received.starts_with("HTTP/1.1 101");
  if (number != kH2 && !is_tunnel) expect_answer(received, question.method);
  return 0;
}
