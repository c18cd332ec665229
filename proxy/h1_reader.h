// Reads requests from an HTTP/1 connection, RFC 9112, strictly: what could be read in two ways is refused,
// and nothing that follows it is read as a request. Pure: bytes in, steps out. Who calls: h1_session.
#pragma once
#include <cstdint>
#include <string_view>

#include "runtime/buffer.h"
#include "upstream/chunked_reader.h"
#include "upstream/head_reader.h"
#include "upstream/message.h"

namespace proxy {

/// Why a request is refused, and with which status.
struct Refusal {
  std::uint16_t status = 0;
  std::string_view reason;  ///< a literal, for the log
};

class H1Reader {
 public:
  /// For a connection. A head has at most `max_head` bytes and `max_fields` fields.
  void begin(runtime::Bytes max_head, std::size_t max_fields);
  /// For the next request on it: after kEnd.
  void next_message();
  /// kHead: once; the views of `head` look into in.chunk(), which the caller keeps; its bytes are consumed.
  /// kBody: a piece, taken out of `in`. kEnd: the message is whole (for one without body: at the next call,
  /// `in` may be empty), and stays so. kBroken: see refusal(); it stays so.
  upstream::Step next(runtime::InBuffer& in, upstream::RequestHead& head, runtime::Slice& body);
  const Refusal& refusal() const { return refusal_; }
  /// Nothing more of this message is to come; true as soon as its last byte was taken.
  bool body_has_ended() const { return state_ == State::kEnd; }
  /// Then, and until next_message(): see upstream/chunked_reader.h.
  std::string_view trailers() const { return chunked_.trailers(); }

 private:
  enum class State : std::uint8_t { kStart, kHead, kLength, kChunked, kEnd, kBroken };
  upstream::Step refuse(const Refusal& refusal);
  upstream::Step refuse_head();
  upstream::Step begin_head(runtime::InBuffer& in, upstream::RequestHead& head);
  upstream::Step read_head(runtime::InBuffer& in, upstream::RequestHead& head);
  void follow(upstream::RequestHead& head);
  upstream::Step finish_head(runtime::InBuffer& in, upstream::RequestHead& head);
  upstream::Step read_length(runtime::InBuffer& in, runtime::Slice& body);
  upstream::Step read_chunked(runtime::InBuffer& in, runtime::Slice& body);

  runtime::Bytes max_head_ = 0;
  std::size_t max_fields_ = 0;
  State state_ = State::kStart;
  bool empty_line_seen_ = false;  // RFC 9112 2.2 lets us skip one before a request
  std::uint64_t left_ = 0;        // with kLength
  upstream::HeadReader lines_;
  upstream::ChunkedReader chunked_;
  Refusal refusal_;
};

}  // namespace proxy
