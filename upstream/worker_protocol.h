// The private protocol to our own Python worker, the front's side: docs/worker-protocol.md. Pure: a body as
// frames, and the worker's frames as steps. The request itself: environment.h. Everything a worker says is
// bounds-checked; app code is not trusted to be sound.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/buffer.h"
#include "upstream/environment.h"
#include "upstream/message.h"
#include "upstream/worker_frames.h"

namespace upstream {

/// Body bytes, in frames of at most kMostBodyFrame; the last one carries `last`. An empty piece is written
/// only with `last`.
void write_body_frame(runtime::Slice piece, bool last, runtime::ByteQueue& out);
/// The client has gone; stands for `last`, too.
void write_abandon(runtime::ByteQueue& out);

class WorkerAnswerReader {
 public:
  static constexpr unsigned kMostInterim = 16;
  static constexpr std::size_t kMaxFields = 1024;

  /// For the next answer. The answer to HEAD has no body. `asked_upgrade`: a 101 is welcome; its body is what the app says in the
  /// tunnel.
  void begin(Method method, bool asked_upgrade = false);
  /// kHead, kInterim: `head` is filled, its views look into in.chunk(). kEnd: the body is whole and the
  /// worker has let go. Between the two moments it is kMore, with body_is_whole().
  Step next(runtime::InBuffer& in, ResponseHead& head, runtime::Slice& body);
  /// The worker has been told that nobody wants the answer any more: it may let go before that is whole.
  void abandon() { is_abandoned_ = true; }
  /// The client can have the end of its answer.
  bool body_is_whole() const { return last_seen_; }
  /// Of an answer that is whole: field lines, each with its CRLF; empty: it has none.
  std::string_view trailers() const { return trailers_; }
  /// After kEnd: nothing stood behind the answer.
  bool may_reuse() const { return done_seen_ && !is_broken_ && !has_surplus_; }
  /// After kEnd: something did.
  bool has_surplus() const { return has_surplus_; }
  /// With kBroken: the worker will not run the request, it is safe to repeat elsewhere.
  bool was_not_taken() const { return was_not_taken_; }
  std::string_view complaint() const { return complaint_; }

 private:
  Step broken(std::string_view complaint);
  bool begin_frame(runtime::InBuffer& in);
  std::string_view complaint_about(const Frame& frame) const;
  Step take_head(runtime::InBuffer& in, ResponseHead& head);
  Step take_body(runtime::InBuffer& in, runtime::Slice& body);
  Step take_trailers(runtime::InBuffer& in);
  bool take_fields(std::string_view payload, ResponseHead& head);
  bool take_framing(ResponseHead& head);
  bool end_frame();

  Method method_ = Method::kGet;
  bool asked_upgrade_ = false;
  Frame frame_;  // the one being read, without its head; length: what is still to come of it
  bool in_frame_ = false;
  bool head_seen_ = false;
  bool last_seen_ = false;  // the answer's body is whole
  bool done_seen_ = false;  // the worker's thread is free
  bool is_abandoned_ = false;
  bool is_broken_ = false;
  bool was_not_taken_ = false;
  bool has_surplus_ = false;  // bytes behind `done`
  unsigned interim_ = 0;
  Framing framing_ = Framing::kNone;
  std::uint64_t body_left_ = 0;  // with kLength
  bool is_tunnel_ = false;
  std::string trailers_;
  std::string_view complaint_;
};

}  // namespace upstream
