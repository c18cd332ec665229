#include "proxy/websocket.h"

#include <bit>
#include <cassert>
#include <span>

namespace proxy {
namespace {

// Of a fixed short text and no secret: FIPS 180-4 6.1, for what RFC 6455 asks for. OpenSSL is behind the door
// of proxy/tls_*.
constexpr std::size_t kBlock = 64;
using Digest = std::array<std::uint8_t, 20>;
using Block = std::span<const std::uint8_t, kBlock>;
using State = std::array<std::uint32_t, 5>;

std::uint32_t word_at(Block block, std::size_t i) {
  return std::uint32_t{block[4 * i]} << 24 | std::uint32_t{block[4 * i + 1]} << 16 |
         std::uint32_t{block[4 * i + 2]} << 8 | block[4 * i + 3];
}

void add_block(State& state, Block block) {
  constexpr std::size_t kRounds = 80, kQuarter = 20;
  std::array<std::uint32_t, kRounds> words{};
  for (std::size_t i = 0; i < 16; ++i) words[i] = word_at(block, i);
  for (std::size_t i = 16; i < kRounds; ++i)
    words[i] = std::rotl(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
  auto [a, b, c, d, e] = state;
  for (std::size_t i = 0; i < kRounds; ++i) {
    const std::size_t quarter = i / kQuarter;
    const std::uint32_t f = quarter == 0   ? (b & c) | (~b & d)
                            : quarter == 2 ? (b & c) | (b & d) | (c & d)
                                           : b ^ c ^ d;
    constexpr std::array<std::uint32_t, 4> kAdded{0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
    const std::uint32_t next = std::rotl(a, 5) + f + e + kAdded[quarter] + words[i];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  const State added{a, b, c, d, e};
  for (std::size_t i = 0; i < state.size(); ++i) state[i] += added[i];
}

/// Of two blocks: text, one bit, zeros, and the length in bits in the last eight bytes.
Digest sha1(std::string_view first, std::string_view second) {
  std::array<std::uint8_t, 2 * kBlock> bytes{};
  std::size_t size = 0;
  for (const std::string_view part : {first, second}) {
    for (const char c : part) bytes[size++] = static_cast<std::uint8_t>(c);
  }
  assert(size + 9 > kBlock && size + 9 <= bytes.size());
  bytes[size] = 0x80;
  bytes[bytes.size() - 2] = static_cast<std::uint8_t>(size * 8 >> 8);
  bytes[bytes.size() - 1] = static_cast<std::uint8_t>(size * 8);
  State state{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  add_block(state, std::span(bytes).first<kBlock>());
  add_block(state, std::span(bytes).last<kBlock>());
  Digest digest{};
  for (std::size_t i = 0; i < digest.size(); ++i)
    digest[i] = static_cast<std::uint8_t>(state[i / 4] >> (24 - 8 * (i % 4)));
  return digest;
}

/// RFC 4648 4.
template <std::size_t kTextSize, std::size_t kSize>
std::array<char, kTextSize> base64(const std::array<std::uint8_t, kSize>& bytes) {
  static_assert(kTextSize == (kSize + 2) / 3 * 4);
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::array<char, kTextSize> text{};
  for (std::size_t at = 0, out = 0; at < kSize; at += 3, out += 4) {
    const auto byte = [&](std::size_t i) { return at + i < kSize ? std::uint32_t{bytes[at + i]} : 0; };
    const std::uint32_t three = byte(0) << 16 | byte(1) << 8 | byte(2);
    for (std::size_t i = 0; i < 4; ++i)
      text[out + i] = at + i <= kSize ? kAlphabet[three >> (18 - 6 * i) & 63] : '=';
  }
  return text;
}

}  // namespace

WebsocketKey websocket_key(std::uint64_t random, std::uint64_t more) {
  std::array<std::uint8_t, 16> bytes{};
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<std::uint8_t>(random >> 8 * i);
    bytes[8 + i] = static_cast<std::uint8_t>(more >> 8 * i);
  }
  return base64<24>(bytes);
}

WebsocketAccept websocket_accept(std::string_view key) {
  return base64<28>(sha1(key, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
}

}  // namespace proxy
