#include "proxy/proxy_header.h"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "runtime/text.h"

namespace proxy {
namespace {

using runtime::Bytes;
using runtime::PeerAddress;

constexpr std::string_view kLineStart = "PROXY ";
constexpr std::string_view kSignature{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr Bytes kFixedPart = 16;  // signature, version and command, family, length

// 2.2, the length of an address block by its family: two addresses, and two ports where there are some.
constexpr Bytes kBlock4 = 12, kBlock6 = 36, kBlockUnix = 216;

// One of them is a prefix of the other.
bool agree(std::string_view a, std::string_view b) {
  const Bytes n = std::min(a.size(), b.size());
  return a.substr(0, n) == b.substr(0, n);
}

// 2.1: decimal, 0 to 65535, without leading zeros.
std::optional<std::uint16_t> port_of(std::string_view text) {
  const auto number = runtime::parse_number(text);
  if (!number || *number > 65535 || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

}  // namespace

ProxyHeader::Step ProxyHeader::next(std::string_view bytes, Bytes& used) {
  used = 0;
  if (bytes.empty()) return Step::kMore;
  const char first = size_ == 0 ? bytes.front() : text_.front();
  return first == kLineStart.front() ? take_line(bytes, used) : take_block(bytes, used);
}

ProxyHeader::Step ProxyHeader::broken(std::string_view complaint) {
  complaint_ = complaint;
  return Step::kBroken;
}

// ---- version 1 ----

ProxyHeader::Step ProxyHeader::take_line(std::string_view bytes, Bytes& used) {
  while (used < bytes.size()) {
    const char c = bytes[used++];
    const bool ends = size_ > 0 && text_[size_ - 1] == '\r';
    // 2.1: the line ends with CRLF, and with nothing else.
    if (ends != (c == '\n')) return broken("the PROXY line is not ended by CRLF");
    text_[size_++] = c;
    if (!agree(text(), kLineStart)) return broken("no PROXY protocol header");
    if (ends) return read_line(text().substr(0, size_ - 2));
    if (size_ == text_.size()) return broken("the PROXY line is longer than 107 bytes");
  }
  return Step::kMore;
}

/// 2.1: "PROXY", TCP4 or TCP6, the addresses of both ends, the ports of both ends, with one space between
/// them.
ProxyHeader::Step ProxyHeader::read_line(std::string_view line) {
  constexpr std::string_view kNotOne = "the PROXY line is not one";
  const std::vector<std::string_view> words = runtime::split(line, ' ');
  if (words.size() < 2) return broken("no PROXY protocol header");
  if (words[1] == "UNKNOWN") return Step::kDone;  // 2.1: whatever follows on the line is ignored
  if (words.size() != 6 || (words[1] != "TCP4" && words[1] != "TCP6")) return broken(kNotOne);
  const sa_family_t family = words[1] == "TCP4" ? AF_INET : AF_INET6;
  const auto from_port = port_of(words[4]), to_port = port_of(words[5]);
  if (!from_port || !to_port) return broken(kNotOne);
  const auto client = runtime::parse_peer_address(family, words[2], *from_port);
  if (!client || !runtime::parse_peer_address(family, words[3], *to_port)) return broken(kNotOne);
  client_ = *client;
  from_ = From::kClient;
  return Step::kDone;
}

// ---- version 2 ----

ProxyHeader::Step ProxyHeader::take_block(std::string_view bytes, Bytes& used) {
  while (used < bytes.size() && size_ < std::max(kFixedPart, wanted_)) {
    text_[size_++] = bytes[used++];
    if (!agree(text(), kSignature)) return broken("no PROXY protocol header");
    if (size_ == kFixedPart && read_fixed_part() == Step::kBroken) return Step::kBroken;
  }
  if (size_ < kFixedPart || size_ < wanted_) return Step::kMore;
  const Bytes skipped = std::min(to_skip_, bytes.size() - used);
  used += skipped;
  to_skip_ -= skipped;
  return to_skip_ > 0 ? Step::kMore : read_addresses();
}

/// 2.2: version and command, family and protocol, and the length of all that follows.
ProxyHeader::Step ProxyHeader::read_fixed_part() {
  const auto byte = [this](std::size_t at) { return static_cast<unsigned char>(text_[at]); };
  const unsigned command = byte(12), family = byte(13);
  const Bytes length = static_cast<Bytes>(byte(14) << 8 | byte(15));
  if (command >> 4 != 2) return broken("unknown version of the PROXY protocol");
  if ((command & 0xf) > 1) return broken("unknown command of the PROXY protocol");
  if (kFixedPart + length > kLongestBlock) return broken("the PROXY header is longer than 4096 bytes");
  wanted_ = kFixedPart;
  to_skip_ = length;
  from_ = From::kUnknown;
  if ((command & 0xf) == 0) {  // LOCAL: the family is ignored, and so are the addresses
    from_ = From::kProxy;
    return Step::kMore;
  }
  if (family == 0x00) return Step::kMore;  // UNSPEC
  if (family != 0x11 && family != 0x21 && family != 0x31) {
    return broken("unknown address family of the PROXY protocol, or one of datagrams");
  }
  const Bytes block = family == 0x11 ? kBlock4 : family == 0x21 ? kBlock6 : kBlockUnix;
  if (length < block) return broken("the PROXY header is too short for its addresses");
  from_ = From::kClient;
  if (family == 0x31) return Step::kMore;  // the paths of Unix sockets say nothing that we need
  wanted_ += block;
  to_skip_ -= block;
  return Step::kMore;
}

ProxyHeader::Step ProxyHeader::read_addresses() {
  if (from_ != From::kClient) return Step::kDone;
  if (wanted_ == kFixedPart) {
    client_.family = AF_UNIX;
    return Step::kDone;
  }
  const bool is_v4 = wanted_ == kFixedPart + kBlock4;
  const Bytes ports = kFixedPart + (is_v4 ? 8 : 32);
  const auto byte = [this](std::size_t at) { return static_cast<unsigned char>(text_[at]); };
  const auto port = static_cast<std::uint16_t>(byte(ports) << 8 | byte(ports + 1));
  client_ = runtime::to_peer_address(is_v4 ? AF_INET : AF_INET6, text_.data() + kFixedPart, port);
  return Step::kDone;
}

}  // namespace proxy
