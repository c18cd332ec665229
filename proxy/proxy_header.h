// The header of the PROXY protocol, versions 1 and 2: what a load balancer says of the client before the
// first byte of TLS or HTTP. Pure: bytes in, an address out. Whom to believe is not asked here: see
// acceptor.cpp. Spec: proxy-protocol.txt, "The PROXY protocol, Versions 1 & 2", by Willy Tarreau,
// HAProxy; 2.1 and 2.2.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "runtime/bytes.h"
#include "runtime/socket.h"

namespace proxy {

class ProxyHeader {
 public:
  /// 2.1: "PROXY UNKNOWN" with two of the longest IPv6 addresses and two ports, CRLF included.
  static constexpr runtime::Bytes kLongestLine = 107;
  /// Of version 2. What is not an address is skipped unread and costs no memory, so this only bounds how long
  /// a header can go on: a certificate in a PP2_SUBTYPE_SSL_CLIENT_CERT fits, 536 bytes (2.2: one TCP
  /// segment) would be too few for it.
  static constexpr runtime::Bytes kLongestBlock = 4096;

  enum class Step : std::uint8_t { kMore, kDone, kBroken };
  /// Takes what belongs to the header from the front of `bytes`, and never a byte of what follows: `used`
  /// says how many. With kMore these are all. Not called again after kDone or kBroken.
  Step next(std::string_view bytes, runtime::Bytes& used);

  enum class From : std::uint8_t {
    kClient,   ///< client() has sent what follows
    kProxy,    ///< LOCAL: the proxy itself has (it asks whether we live)
    kUnknown,  ///< UNKNOWN or UNSPEC: a client whom the proxy does not name
  };
  From from() const { return from_; }
  /// With From::kClient. AF_UNIX without a name for a client of the proxy's Unix socket.
  const runtime::PeerAddress& client() const { return client_; }
  /// After kBroken: why.
  std::string_view complaint() const { return complaint_; }

 private:
  Step take_line(std::string_view bytes, runtime::Bytes& used);
  Step read_line(std::string_view line);
  Step take_block(std::string_view bytes, runtime::Bytes& used);
  Step read_fixed_part();
  Step read_addresses();
  Step broken(std::string_view complaint);
  std::string_view text() const { return {text_.data(), size_}; }

  std::array<char, kLongestLine> text_;  // the line, or the fixed part and the addresses of a block
  runtime::Bytes size_ = 0;              // of text_
  runtime::Bytes wanted_ = 0;            // version 2: bytes of text_ to be filled
  runtime::Bytes to_skip_ = 0;           // version 2: bytes behind those
  From from_ = From::kUnknown;
  runtime::PeerAddress client_;
  std::string_view complaint_;  // a literal
};

}  // namespace proxy
