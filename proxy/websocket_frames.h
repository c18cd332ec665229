// Where the frames of a WebSocket end that come from its server (RFC 6455 5.2), so that one of ours can be put between
// two of them. Looks at heads only: nothing is kept but where it stands, and a payload costs nothing. What is said
// there, and when: exchange_tunnel.cpp.
#pragma once
#include <cstdint>
#include <string_view>

#include "runtime/bytes.h"

namespace proxy {

class WebsocketFrames {
 public:
  /// From here on, what is counted begins with a frame.
  void begin() { *this = WebsocketFrames(State::kFirst); }
  /// Counts these bytes, to the end of the frame that they go on with or begin: how many of them belong to it, at least
  /// one unless there is none. All of them where nothing is counted.
  runtime::Bytes next(std::string_view bytes);
  /// Begun, and all that came has been frames as a server may send them. False: nobody knows where one ends.
  bool is_counting() const { return state_ != State::kNone; }
  /// No frame is under way.
  bool is_between_frames() const { return state_ == State::kFirst || has_closed(); }
  /// The last frame was Close: no other may follow it (5.5.1), and what does is nothing.
  bool has_closed() const { return state_ == State::kClosed; }

  WebsocketFrames() = default;

 private:
  enum class State : std::uint8_t { kNone, kFirst, kLength, kLongLength, kPayload, kClosed };
  explicit WebsocketFrames(State state) : state_(state) {}

  void take(std::uint8_t byte);
  void take_first(std::uint8_t byte);
  void take_length(std::uint8_t byte);
  void take_long_length(std::uint8_t byte);
  void begin_payload();
  void end_frame();
  void give_up() { state_ = State::kNone; }
  bool is_control() const { return (opcode_ & 8) != 0; }

  State state_ = State::kNone;
  std::uint8_t opcode_ = 0;   // of the frame under way
  std::uint8_t more_ = 0;     // bytes of its length that are still to come, in kLongLength
  std::uint64_t least_ = 0;   // what a length of so many bytes has to be
  std::uint64_t length_ = 0;  // as far as it has come; in kPayload: what is still to come
};

}  // namespace proxy
