#include "upstream/grammar.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <limits>

namespace upstream {
namespace {

bool all_of(std::string_view text, detail::CharClass of) {
  return std::all_of(text.begin(), text.end(), [of](char c) { return detail::is_of(c, of); });
}

/// True only if none of eight bytes is below 0x20 or is 0x7f: the high bit of each byte tells. A byte that
/// borrows from its neighbour may make it false for nothing.
bool are_plain(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101, kHigh = 0x8080808080808080;
  const std::uint64_t below_space = (word - kOnes * 0x20) & ~word;
  const std::uint64_t deleted = word ^ (kOnes * 0x7f);
  const std::uint64_t is_deleted = (deleted - kOnes) & ~deleted;
  return ((below_space | is_deleted) & kHigh) == 0;
}

/// `name` is a token, so 0x20 makes lower case of its letters and leaves its digits and '-' alone.
bool is_name(std::string_view name, std::string_view lower_case) {
  for (std::size_t i = 0; i < name.size(); ++i) {
    if ((name[i] | 0x20) != lower_case[i]) return false;
  }
  return true;
}

struct Name {
  std::string_view lower_case;
  FieldId id;
};

/// By length; the most frequent first among names of one length.
constexpr Name kNames[] = {
    {"te", FieldId::kTe},
    {"via", FieldId::kVia},
    {"host", FieldId::kHost},
    {"date", FieldId::kDate},
    {"proxy", FieldId::kProxy},
    {"accept", FieldId::kAccept},
    {"cookie", FieldId::kCookie},
    {"server", FieldId::kServer},
    {"expect", FieldId::kExpect},
    {"referer", FieldId::kReferer},
    {"upgrade", FieldId::kUpgrade},
    {"trailer", FieldId::kTrailer},
    {"forwarded", FieldId::kForwarded},
    {"x-real-ip", FieldId::kXRealIp},
    {"user-agent", FieldId::kUserAgent},
    {"connection", FieldId::kConnection},
    {"keep-alive", FieldId::kKeepAlive},
    {":authority", FieldId::kAuthority},
    {"tracestate", FieldId::kTracestate},
    {"traceparent", FieldId::kTraceparent},
    {"content-type", FieldId::kContentType},
    {"x-request-id", FieldId::kXRequestId},
    {"max-forwards", FieldId::kMaxForwards},
    {"content-length", FieldId::kContentLength},
    {"http2-settings", FieldId::kHttp2Settings},
    {"x-forwarded-for", FieldId::kXForwardedFor},
    {"x-request-start", FieldId::kXRequestStart},
    {"x-forwarded-host", FieldId::kXForwardedHost},
    {"x-forwarded-port", FieldId::kXForwardedPort},
    {"proxy-connection", FieldId::kProxyConnection},
    {"transfer-encoding", FieldId::kTransferEncoding},
    {"x-forwarded-proto", FieldId::kXForwardedProto},
    {"sec-websocket-key", FieldId::kSecWebsocketKey},
    {"sec-websocket-accept", FieldId::kSecWebsocketAccept},
};
constexpr std::size_t kLongestName = 20;

/// first_of_length[n]: where the names of n bytes begin in kNames; they end where the next ones begin.
constexpr auto make_index() {
  std::array<std::uint8_t, kLongestName + 2> first_of_length{};
  for (const Name& name : kNames) {
    for (std::size_t n = name.lower_case.size() + 1; n < first_of_length.size(); ++n) ++first_of_length[n];
  }
  return first_of_length;
}
constexpr auto kFirstOfLength = make_index();
static_assert(kFirstOfLength.back() == std::size(kNames), "kLongestName is the longest");
static_assert(std::is_sorted(std::begin(kNames), std::end(kNames), [](const Name& a, const Name& b) {
  return a.lower_case.size() < b.lower_case.size();
}));

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

bool is_registered_name(std::string_view host) {
  if (host.empty()) return false;
  for (std::size_t i = 0; i < host.size(); ++i) {
    if (detail::is_of(host[i], detail::kHostChar)) continue;
    if (host[i] != '%' || host.size() - i < 3 || !is_hex(host[i + 1]) || !is_hex(host[i + 2])) return false;
    i += 2;
  }
  return true;
}

bool is_ipv6(std::string_view address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address.size() >= sizeof text) return false;
  std::copy(address.begin(), address.end(), text);
  in6_addr ignored;
  return address.find('\0') == address.npos && ::inet_pton(AF_INET6, text, &ignored) == 1;
}

/// ":8000" or nothing. RFC 3986 3.2.3 allows ":" alone.
bool is_port_part(std::string_view text) {
  if (text.empty()) return true;
  if (text.front() != ':') return false;
  text.remove_prefix(1);
  const auto port = runtime::parse_number(text);
  return text.empty() || (text.size() <= 5 && port && *port <= 65535);
}

/// What is left behind a quoted-string (RFC 9110 5.6.4) at the beginning of `text`; nothing: there is none.
std::optional<std::string_view> skip_quoted(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') return text.substr(i + 1);
    if (text[i] == '\\') ++i;
    if (i >= text.size() || !detail::is_of(text[i], detail::kFieldChar)) return std::nullopt;
  }
  return std::nullopt;
}

std::string_view skip_space(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  return text;
}

std::string_view skip_token(std::string_view text) {
  while (!text.empty() && is_token_char(text.front())) text.remove_prefix(1);
  return text;
}

}  // namespace

bool is_token(std::string_view text) {
  return !text.empty() && all_of(text, detail::kTokenChar);
}

bool is_field_value(std::string_view text) {
  for (; text.size() >= 8; text.remove_prefix(8)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), sizeof word);
    if (!are_plain(word) && !all_of(text.substr(0, 8), detail::kFieldChar)) return false;
  }
  return all_of(text, detail::kFieldChar);
}

bool is_target(std::string_view text) {
  return !text.empty() && all_of(text, detail::kTargetChar);
}

FieldId identify(std::string_view name) {
  if (name.size() > kLongestName) return FieldId::kOther;
  for (std::size_t i = kFirstOfLength[name.size()]; i < kFirstOfLength[name.size() + 1]; ++i) {
    if (is_name(name, kNames[i].lower_case)) return kNames[i].id;
  }
  return FieldId::kOther;
}

Method parse_method(std::string_view token) {
  switch (token.size()) {
    case 3:
      return token == "GET" ? Method::kGet : token == "PUT" ? Method::kPut : Method::kOther;
    case 4:
      return token == "POST" ? Method::kPost : token == "HEAD" ? Method::kHead : Method::kOther;
    case 5:
      return token == "PATCH" ? Method::kPatch : token == "TRACE" ? Method::kTrace : Method::kOther;
    case 6:
      return token == "DELETE" ? Method::kDelete : Method::kOther;
    case 7:
      return token == "OPTIONS" ? Method::kOptions : token == "CONNECT" ? Method::kConnect : Method::kOther;
  }
  return Method::kOther;
}

bool is_host(std::string_view authority) {
  if (authority.empty() || authority.size() > kMaxHost) return false;
  if (authority.front() == '[') {
    const auto end = authority.find(']');
    return end != authority.npos && is_ipv6(authority.substr(1, end - 1)) &&
           is_port_part(authority.substr(end + 1));
  }
  const auto colon = std::min(authority.find(':'), authority.size());
  return is_registered_name(authority.substr(0, colon)) && is_port_part(authority.substr(colon));
}

std::optional<std::uint64_t> parse_length(std::string_view value) {
  const auto length = runtime::parse_number(value);
  if (length && *length > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    return std::nullopt;
  return length;
}

std::optional<std::string_view> ListMembers::next() {
  while (!rest_.empty()) {
    const auto comma = std::min(rest_.find(','), rest_.size());
    const std::string_view member = runtime::trim(rest_.substr(0, comma));
    rest_.remove_prefix(std::min(comma + 1, rest_.size()));
    if (!member.empty()) return member;
  }
  return std::nullopt;
}

bool has_member(std::string_view list, std::string_view token) {
  ListMembers members(list);
  while (const auto member = members.next()) {
    if (runtime::equals_ignoring_case(*member, token)) return true;
  }
  return false;
}

std::optional<Field> parse_field_line(std::string_view line) {
  const char* at = line.data();
  const char* end = at + line.size();
  while (at < end && is_token_char(*at)) ++at;
  const std::string_view name(line.data(), static_cast<std::size_t>(at - line.data()));
  if (name.empty() || at == end || *at != ':') return std::nullopt;
  ++at;
  while (at < end && (*at == ' ' || *at == '\t')) ++at;
  while (end > at && (end[-1] == ' ' || end[-1] == '\t')) --end;
  const std::string_view value(at, static_cast<std::size_t>(end - at));
  if (!is_field_value(value)) return std::nullopt;
  return Field{name, value, identify(name)};
}

bool is_chunk_extension(std::string_view text) {
  while (!text.empty()) {
    text = skip_space(text);
    if (text.empty() || text.front() != ';') return false;
    text = skip_space(text.substr(1));
    if (text.empty() || !is_token_char(text.front())) return false;
    text = skip_token(text);
    std::string_view value = skip_space(text);
    if (value.empty() || value.front() != '=') continue;
    value = skip_space(value.substr(1));
    if (value.empty()) return false;
    if (value.front() == '"') {
      const auto rest = skip_quoted(value);
      if (!rest) return false;
      text = *rest;
    } else {
      if (!is_token_char(value.front())) return false;
      text = skip_token(value);
    }
  }
  return true;
}

}  // namespace upstream
