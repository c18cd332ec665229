// Writes text into room that somebody has reserved: each call returns where the next one goes. The caller has
// counted the bytes.
#pragma once
#include <charconv>
#include <cstdint>
#include <string_view>

#include "runtime/socket.h"
#include "upstream/message.h"

namespace upstream {

inline char* put(char* at, std::string_view text) {
  return at + text.copy(at, text.size());
}
inline char* put(char* at, char c) {
  *at = c;
  return at + 1;
}

inline constexpr std::size_t kMostDigits = 20;  ///< of 64 bits
inline char* put_number(char* at, std::uint64_t n) {
  return std::to_chars(at, at + kMostDigits, n).ptr;
}

/// All 16 digits, lower case.
inline char* put_hex(char* at, std::uint64_t bits) {
  for (int shift = 60; shift >= 0; shift -= 4) at = put(at, "0123456789abcdef"[bits >> shift & 0xf]);
  return at;
}

/// What put_field() needs besides name and value.
inline constexpr std::size_t kAroundField = 4;
inline char* put_field(char* at, std::string_view name, std::string_view value) {
  at = put(at, name);
  at = put(at, ": ");
  at = put(at, value);
  return put(at, "\r\n");
}

/// As PeerAddress::text(), without a string.
inline constexpr std::size_t kMostAddress = 46;
char* put_address(char* at, const runtime::PeerAddress& address);

}  // namespace upstream
