// The chunked coding (RFC 9112 7.1), strictly and a piece at a time. Used by both readers of HTTP/1 messages.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/buffer.h"
#include "upstream/message.h"

namespace upstream {

class ChunkedReader {
 public:
  /// Extensions and trailers of one body, in all; a chunk's size needs none of it.
  static constexpr runtime::Bytes kMostExtra = 8 * 1024;

  void begin();
  /// kBody: a piece, taken out of `in`. kEnd: the last chunk and the trailers have been read. kMore, kBroken.
  Step next(runtime::InBuffer& in, runtime::Slice& body);
  /// After kEnd: the trailers, a field line each with its CRLF, as they came; which of them may go on:
  /// proxy/headers.h. Empty: there are none.
  std::string_view trailers() const { return trailers_; }
  /// What was wrong, after kBroken.
  std::string_view complaint() const { return complaint_; }

 private:
  enum class State : std::uint8_t { kSize, kData, kDataEnd, kTrailer, kEnd, kBroken };
  Step broken(std::string_view complaint);
  Step read_line(runtime::InBuffer& in);
  bool take_size(std::string_view line);
  bool take_trailer(std::string_view line);
  bool take_small_chunk(runtime::InBuffer& in, runtime::Slice& body);
  bool take_data_end(runtime::InBuffer& in);

  State state_ = State::kSize;
  std::uint64_t left_ = 0;      // of the chunk's data
  runtime::Bytes scanned_ = 0;  // of the line that is not whole yet: no LF before this
  runtime::Bytes extra_ = 0;    // extensions and trailers so far
  std::string trailers_;        // at most kMostExtra; almost no body has any
  std::string_view complaint_;
};

}  // namespace upstream
