// The handshake of a WebSocket (RFC 6455 4), and of any other upgrade (RFC 9110 7.8), as far as the front has a part in it.
// Over HTTP/2 the client has no key and checks nothing (RFC 8441 5): the front makes the key for the app, and checks the
// answer to it. And its last word. Pure. What comes in between: websocket_frames.h.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "upstream/message.h"

namespace proxy {

inline constexpr std::string_view kWebsocket = "websocket";

/// Sec-WebSocket-Key: 16 random bytes in base64.
std::string websocket_key(std::uint64_t random, std::uint64_t more);

/// Sec-WebSocket-Accept to that key.
std::string websocket_accept(std::string_view key);

/// What is wrong with an answer as one to a request that may have asked to upgrade. Empty: nothing.
std::string_view upgrade_complaint(const upstream::RequestHead& request, const upstream::ResponseHead& answer);

/// What follows this answer are frames of RFC 6455: it is a 101 to that, and to nothing on top of it.
bool is_websocket(const upstream::ResponseHead& answer);

/// Close from a server with 1012, Service Restart (RFC 6455 5.5.1, IANA's WebSocket Close Code Number Registry).
inline constexpr std::string_view kCloseForRestart = "\x88\x02\x03\xf4";

}  // namespace proxy
