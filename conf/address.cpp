#include "conf/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <span>

#include "runtime/text.h"

namespace conf {
namespace {

using runtime::Code;
using runtime::fail;
using runtime::Result;

constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned kMappedBits = 96;

struct Literal {
  std::array<std::uint8_t, 16> bits;  // IPv4 in its mapped form
  bool is_v4;
  std::string text;  // as inet_ntop spells it: the one normal form (RFC 5952)
};

std::optional<Literal> parse_literal(std::string_view text) {
  std::string const host(text);
  std::array<char, INET6_ADDRSTRLEN> spelled{};
  Literal literal{{}, false, {}};
  if (host.find('\0') != std::string::npos) return std::nullopt;
  if (inet_pton(AF_INET6, host.c_str(), literal.bits.data()) == 1) {
    inet_ntop(AF_INET6, literal.bits.data(), spelled.data(), spelled.size());
  } else if (inet_pton(AF_INET, host.c_str(), literal.bits.data() + kMappedPrefix.size()) == 1) {
    std::ranges::copy(kMappedPrefix, literal.bits.begin());
    literal.is_v4 = true;
    inet_ntop(AF_INET, literal.bits.data() + kMappedPrefix.size(), spelled.data(), spelled.size());
  } else {
    return std::nullopt;
  }
  literal.text = spelled.data();
  return literal;
}

Result<Address> parse_unix(std::string_view path) {
  if (path.empty()) return fail(Code::kConfig, "a path must follow `unix:`");
  if (path.find('\0') != std::string_view::npos) return fail(Code::kConfig, "a path may not hold a NUL byte");
  Address address;
  address.kind = Address::Kind::kUnix;
  address.path = path;
  address.text = fmt::format("unix:{}", path);
  return address;
}

void clear_past(std::array<std::uint8_t, 16>& bits, unsigned prefix) {
  for (unsigned bit = prefix; bit < 128; ++bit) {
    bits[bit / 8] = static_cast<std::uint8_t>(bits[bit / 8] & ~(0x80U >> (bit % 8)));
  }
}

}  // namespace

Result<Address> parse_address(std::string_view text) {
  if (text.starts_with("unix:")) return parse_unix(text.substr(5));
  std::size_t const colon = text.rfind(':');
  std::string_view const host = text.substr(0, std::min(colon, text.size()));
  if (colon == std::string_view::npos || host.empty()) {
    return fail(Code::kConfig, "expected `host:port`, `*:port`, `[::]:port` or `unix:PATH`");
  }
  std::optional<std::uint64_t> const port = runtime::parse_number(text.substr(colon + 1));
  if (!port || *port > std::numeric_limits<std::uint16_t>::max()) {
    return fail(Code::kConfig, "the port must be a number from 0 to 65535");
  }
  Address address;
  address.port = static_cast<std::uint16_t>(*port);
  if (host == "*") {
    address.host = host;
    address.text = fmt::format("*:{}", address.port);
    return address;
  }
  bool const is_bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  std::optional<Literal> const literal = parse_literal(is_bracketed ? host.substr(1, host.size() - 2) : host);
  if (!literal) return fail(Code::kConfig, "the host must be `*` or an IP address; names are not looked up");
  if (literal->is_v4 == is_bracketed) {
    return fail(Code::kConfig,
                "an IPv6 address stands in brackets, as in `[::1]:8000`, an IPv4 address does not");
  }
  address.host = literal->text;
  address.text = is_bracketed ? fmt::format("[{}]:{}", address.host, address.port)
                              : fmt::format("{}:{}", address.host, address.port);
  return address;
}

bool Network::contains(std::array<std::uint8_t, 16> const& address) const {
  std::array<std::uint8_t, 16> masked = address;
  clear_past(masked, prefix);
  return !is_unix && masked == bits;
}

Result<Network> parse_network(std::string_view text) {
  if (text == "unix:") return Network{.text = "unix:", .is_unix = true};
  std::size_t const slash = text.find('/');
  std::optional<Literal> const literal = parse_literal(text.substr(0, slash));
  if (!literal)
    return fail(Code::kConfig, "expected an IP address or a block such as `10.0.0.0/8` or `fd00::/8`");
  unsigned const widest = literal->is_v4 ? 32 : 128;
  std::optional<std::uint64_t> const length =
      slash == std::string_view::npos ? widest : runtime::parse_number(text.substr(slash + 1));
  if (!length || *length > widest) {
    return fail(Code::kConfig, fmt::format("the prefix length must be a number from 0 to {}", widest));
  }
  Network network;
  network.bits = literal->bits;
  network.prefix = static_cast<std::uint8_t>(*length + (literal->is_v4 ? kMappedBits : 0));
  clear_past(network.bits, network.prefix);
  // A block with host bits set is nearly always a slip of the pen ("10.1.0.0/8"): which network is meant?
  if (network.bits != literal->bits) {
    return fail(Code::kConfig, "the address has bits set past its prefix; write the network's own address");
  }
  network.text = *length == widest ? literal->text : fmt::format("{}/{}", literal->text, *length);
  return network;
}

}  // namespace conf
