// The two fields by which the ends of a WebSocket handshake know that each means it, RFC 6455 4. Over HTTP/2
// they are not used (RFC 8441 5), so the front makes the key for the app, and checks what it says to it.
// Pure.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

namespace proxy {

inline constexpr std::string_view kWebsocket = "websocket";

/// Sec-WebSocket-Key: 16 random bytes in base64.
using WebsocketKey = std::array<char, 24>;
WebsocketKey websocket_key(std::uint64_t random, std::uint64_t more);

/// Sec-WebSocket-Accept to that key.
using WebsocketAccept = std::array<char, 28>;
WebsocketAccept websocket_accept(std::string_view key);

}  // namespace proxy
