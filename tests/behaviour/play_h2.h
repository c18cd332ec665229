// An HTTP/2 client that sends what it is told to, frame by frame, sound or not: RFC 9113 4.1. Field blocks
// are literal (RFC 7541 6.2.2: no Huffman, no table), so that a test's bytes are on the wire as they stand in
// the test.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "play.h"

struct nghttp2_hd_inflater;

namespace play::h2 {

enum Type : std::uint8_t {
  kData,
  kHeaders,
  kPriority,
  kReset,
  kSettings,
  kPush,
  kPing,
  kGoaway,
  kWindow,
  kContinuation,
  kPriorityUpdate = 16,
};
enum Flag : std::uint8_t {
  kNone = 0,
  kEndStream = 1,
  kAck = 1,
  kEndHeaders = 4,
  kPadded = 8,
  kPrioritized = 0x20
};
enum Code : std::uint32_t {
  kNoError,
  kProtocolError,
  kInternalError,
  kFlowControlError,
  kSettingsTimeout,
  kStreamClosed,
  kFrameSizeError,
  kRefusedStream,
  kCancel,
  kCompressionError,
  kConnectError,
  kEnhanceYourCalm,
};
inline constexpr std::uint8_t kLast = kEndStream | kEndHeaders;  // of HEADERS: the whole request

using Fields = std::vector<std::pair<std::string, std::string>>;

std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view payload = {});
std::string number(std::uint32_t);                           ///< four bytes
std::string setting(std::uint16_t id, std::uint32_t value);  ///< six bytes
std::string block(const Fields&);                            ///< of a HEADERS frame
/// What the client says first: the magic and a SETTINGS frame.
std::string preface(std::string_view settings = {});

struct Frame {
  std::uint8_t type = 0, flags = 0;
  std::uint32_t stream = 0;
  std::string payload;
  Fields fields;  ///< of HEADERS

  bool has(std::uint8_t flag) const { return (flags & flag) != 0; }
  std::uint32_t number(std::size_t at = 0) const;  ///< of the payload: an error code, a setting's value
  std::string field(std::string_view name) const;
  int status() const;  ///< of HEADERS
};

class Client {
 public:
  /// Says the preface, unless `settings` is none.
  explicit Client(Peer peer, std::optional<std::string> settings = std::string());
  ~Client();
  Client(Client&&) noexcept;

  void send(std::string_view bytes) { peer_.send(bytes); }
  Peer& peer() { return peer_; }

  /// The next frame, but for SETTINGS, their ACK and WINDOW_UPDATE, which a client has no choice about.
  Frame next();
  /// The next one of this type on this stream; those before it are forgotten.
  Frame next(std::uint8_t type, std::uint32_t stream);
  /// None: the connection has ended.
  std::optional<Frame> next_or_end();
  /// Until that many bytes in all may be sent on a stream (0: on the connection). No other frame may come.
  void wait_for_window(std::uint32_t stream, std::size_t size);
  /// What the server's SETTINGS said, as far as they were read.
  std::optional<std::uint32_t> setting(std::uint16_t id) const;
  /// The DATA of a stream, with those of its frames that still come, to END_STREAM.
  std::string body(std::uint32_t stream);

 private:
  std::optional<Frame> read();
  std::optional<Frame> read_and_note();
  Peer peer_;
  std::string received_;
  std::string settings_;  // of the server
  std::map<std::uint32_t, std::size_t> windows_;  // what WINDOW_UPDATE has added, by stream
  struct FreeInflater {
    void operator()(nghttp2_hd_inflater*) const;
  };
  std::unique_ptr<nghttp2_hd_inflater, FreeInflater> inflater_;
};

}  // namespace play::h2
