// The frames of the worker protocol (docs/worker-protocol.md): their numbers, and how the front's own are
// laid out.
#pragma once
#include <cstdint>

#include "runtime/buffer.h"

namespace upstream {

inline constexpr runtime::Bytes kMostHeadFrame = 256 * 1024;
inline constexpr runtime::Bytes kMostBodyFrame = 64 * 1024;
inline constexpr runtime::Bytes kMostTrailersFrame = 8 * 1024;  // as of a chunked body

struct Frame {
  /// As on the wire. The first four are the front's, the others the worker's.
  enum Type : std::uint8_t {
    kRequest = 1,
    kRequestBody = 2,
    kAbandon = 3,
    kScope = 4,
    kHead = 16,
    kBody = 17,
    kInterim = 18,
    kDone = 19,
    kNotTaken = 20,
    kTrailers = 21,
  };
  static constexpr std::uint8_t kLastFlag = 1, kDoneFlag = 2;
  static constexpr runtime::Bytes kHeadSize = 8;

  std::uint32_t length = 0;  ///< of the payload
  std::uint8_t type = 0;
  std::uint8_t flags = 0;

  bool is_last() const { return (flags & kLastFlag) != 0; }
  bool is_done() const { return (flags & kDoneFlag) != 0; }
};

/// kHeadSize bytes.
inline char* put_frame_head(char* at, const Frame& frame) {
  for (unsigned byte = 0; byte < 4; ++byte) *at++ = static_cast<char>(frame.length >> (8 * byte) & 0xff);
  *at++ = static_cast<char>(frame.type);
  *at++ = static_cast<char>(frame.flags);
  *at++ = 0;
  *at++ = 0;
  return at;
}

}  // namespace upstream
