// Reads an app's answer from an HTTP/1.1 connection (RFC 9112), strictly: what could be read in two ways is
// broken, and a 502. Pure: bytes in, steps out.
#pragma once
#include <cstdint>
#include <string_view>

#include "runtime/buffer.h"
#include "upstream/chunked_reader.h"
#include "upstream/head_reader.h"
#include "upstream/message.h"

namespace upstream {

class ResponseReader {
 public:
  static constexpr runtime::Bytes kMaxHead = 64 * 1024;
  static constexpr std::size_t kMaxFields = 256;
  static constexpr unsigned kMostInterim = 16;  ///< in all no longer than one head may be

  /// For the next answer. `method` of the request: the answer to HEAD has no body. `asked_upgrade`: a 101 is
  /// welcome; after its kHead the rest of `in` is the tunnel's, next() is not called again.
  void begin(Method method, bool asked_upgrade);
  /// kInterim, kHead: `head` is filled, its views look into in.chunk(), and its bytes are consumed.
  Step next(runtime::InBuffer& in, ResponseHead& head, runtime::Slice& body);
  /// The app has closed its side. kEnd: the answer is whole. kBroken: it is cut off.
  Step on_close();
  /// After kEnd: both sides agree that the connection goes on, and nothing stood behind the answer.
  bool may_reuse() const { return state_ == State::kEnd && keep_alive_ && !has_surplus_; }
  /// After kEnd: something stood behind the answer, which nobody has asked for.
  bool has_surplus() const { return has_surplus_; }
  /// The body has ended, whether or not next() has said kEnd.
  bool body_is_whole() const { return state_ == State::kEnd; }
  /// After the end: see chunked_reader.h.
  std::string_view trailers() const { return chunked_.trailers(); }
  std::string_view complaint() const { return complaint_; }

 private:
  enum class State : std::uint8_t { kHead, kLength, kChunked, kToClose, kTunnel, kEnd, kBroken };
  Step broken(std::string_view complaint);
  Step ended(const runtime::InBuffer& in);
  Step read_head(runtime::InBuffer& in, ResponseHead& head);
  bool take_status_line(std::string_view line, ResponseHead& head);
  bool take_framing(ResponseHead& head);
  Step finish_head(ResponseHead& head);

  State state_ = State::kHead;
  Method method_ = Method::kGet;
  bool asked_upgrade_ = false;
  bool is_http10_ = false;
  bool keep_alive_ = false;   // of the head that was read
  bool has_surplus_ = false;  // bytes behind the end that nobody asked for
  unsigned interim_ = 0;
  runtime::Bytes interim_bytes_ = 0;
  std::uint64_t left_ = 0;  // with kLength
  HeadReader lines_;
  ChunkedReader chunked_;
  std::string_view complaint_;
};

}  // namespace upstream
