// What OpenSSL computes for units that are not about TLS.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace proxy {

/// FIPS 180-4 6.1. Where a protocol asks for it, never as a protection.
std::array<std::uint8_t, 20> sha1(std::string_view text);

/// RFC 4648 4, with its padding.
std::string base64(std::span<const std::uint8_t> bytes);

}  // namespace proxy
