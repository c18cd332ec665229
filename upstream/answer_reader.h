// Reads a worker's answer, whichever language it speaks: HTTP/1.1 (response_reader) or our worker protocol.
// The exchange asks next() and acts on the Step; it never sees the wire.
#pragma once
#include <string_view>

#include "upstream/app.h"
#include "upstream/response_reader.h"
#include "upstream/worker_protocol.h"

namespace upstream {

class AnswerReader {
 public:
  /// For the next answer on a connection. `method`: HEAD's answer has no body. `asked_upgrade`: a 101 is welcome.
  void begin(Speech speech, Method method, bool asked_upgrade) {
    speech_ = speech;
    if (speech == Speech::kHttp) http_.begin(method, asked_upgrade);
    else worker_.begin(method, asked_upgrade);
  }
  /// What comes next in `in`. kHead, kInterim: `head` is filled, its views look into in.chunk(). kBody: `body` is filled.
  /// After kEnd: may_reuse() says whether the connection is fit for another exchange.
  Step next(runtime::InBuffer& in, ResponseHead& head, runtime::Slice& body) {
    return speech_ == Speech::kHttp ? http_.next(in, head, body) : worker_.next(in, head, body);
  }
  /// The worker has closed its side. kEnd: that was the end of the body. kBroken: the answer is cut off.
  Step on_close() { return speech_ == Speech::kHttp ? http_.on_close() : Step::kBroken; }
  bool may_reuse() const { return speech_ == Speech::kHttp ? http_.may_reuse() : worker_.may_reuse(); }
  /// After kEnd: something stood behind the answer, which nobody has asked for.
  bool has_surplus() const { return speech_ == Speech::kHttp ? http_.has_surplus() : worker_.has_surplus(); }
  /// The client can have the end of its answer; our own worker may still be busy with the request.
  bool body_is_whole() const { return speech_ == Speech::kHttp ? http_.body_is_whole() : worker_.body_is_whole(); }
  /// Of an answer that is whole: see chunked_reader.h.
  std::string_view trailers() const { return speech_ == Speech::kHttp ? http_.trailers() : worker_.trailers(); }
  /// The worker hears of it that nobody wants the answer any more; our own may let go before that is whole.
  void abandon() { worker_.abandon(); }
  /// Our worker said that it will not run the request: safe to repeat elsewhere (with Step::kBroken).
  bool was_not_taken() const { return speech_ != Speech::kHttp && worker_.was_not_taken(); }
  /// What was wrong, after kBroken.
  std::string_view complaint() const { return speech_ == Speech::kHttp ? http_.complaint() : worker_.complaint(); }

 private:
  Speech speech_ = Speech::kHttp;
  ResponseReader http_;
  WorkerAnswerReader worker_;
};

}  // namespace upstream
