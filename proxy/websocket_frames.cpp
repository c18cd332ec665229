#include "proxy/websocket_frames.h"

#include <algorithm>

namespace proxy {
namespace {

using runtime::Bytes;

constexpr std::uint8_t kFin = 0x80, kMask = 0x80, kClose = 8;
// No length, but that it follows in two bytes; 127: in eight. And what it has to be then.
constexpr std::uint8_t kTwoBytes = 126;
constexpr std::uint64_t kLeastOfTwo = 126, kLeastOfEight = 65536;
constexpr std::uint64_t kMostOfControl = 125;

/// Continuation, text, binary; Close, Ping, Pong. The others are reserved.
constexpr bool is_known(std::uint8_t opcode) { return (opcode & 7) <= 2; }

}  // namespace

Bytes WebsocketFrames::next(std::string_view bytes) {
  Bytes n = 0;
  while (n < bytes.size() && is_counting() && !has_closed()) {
    if (state_ != State::kPayload) {
      take(static_cast<std::uint8_t>(bytes[n++]));
    } else {
      const Bytes part = std::min<std::uint64_t>(length_, bytes.size() - n);
      n += part;
      length_ -= part;
      if (length_ == 0) end_frame();
    }
    if (is_between_frames()) return n;
  }
  return bytes.size();
}

/// A byte of a frame's head.
void WebsocketFrames::take(std::uint8_t byte) {
  switch (state_) {
    case State::kFirst:
      return take_first(byte);
    case State::kLength:
      return take_length(byte);
    case State::kLongLength:
      return take_long_length(byte);
    case State::kNone:
    case State::kPayload:
    case State::kClosed:
      return;
  }
}

/// The reserved bits are an extension's (permessage-deflate has one of them): they say nothing of where a frame ends.
void WebsocketFrames::take_first(std::uint8_t byte) {
  opcode_ = byte & 0x0f;
  // RFC 6455 5.4: a control frame is never cut into several.
  if (!is_known(opcode_) || (is_control() && (byte & kFin) == 0)) return give_up();
  state_ = State::kLength;
}

/// RFC 6455 5.1: a server never masks.
void WebsocketFrames::take_length(std::uint8_t byte) {
  if ((byte & kMask) != 0 || (is_control() && byte > kMostOfControl)) return give_up();
  length_ = byte;
  if (byte < kTwoBytes) return begin_payload();
  more_ = byte == kTwoBytes ? 2 : 8;
  least_ = byte == kTwoBytes ? kLeastOfTwo : kLeastOfEight;
  length_ = 0;
  state_ = State::kLongLength;
}

/// RFC 6455 5.2: in as few bytes as it takes, and the highest bit of eight is 0.
void WebsocketFrames::take_long_length(std::uint8_t byte) {
  length_ = length_ << 8 | byte;
  if (--more_ > 0) return;
  if (length_ < least_ || length_ >> 63 != 0) return give_up();
  begin_payload();
}

void WebsocketFrames::begin_payload() {
  state_ = State::kPayload;
  if (length_ == 0) end_frame();
}

void WebsocketFrames::end_frame() { state_ = opcode_ == kClose ? State::kClosed : State::kFirst; }

}  // namespace proxy
