// The grammar of HTTP messages, character by character: RFC 9110 section 5, RFC 9112 sections 3 to 5, RFC
// 3986 for hosts and targets. Pure: text in, yes or no out. Where the messages are read: proxy/h1_reader.h,
// response_reader.h.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "runtime/text.h"
#include "upstream/message.h"

namespace upstream {

namespace detail {
enum CharClass : std::uint8_t { kTokenChar = 1, kFieldChar = 2, kTargetChar = 4, kHostChar = 8 };

constexpr std::array<std::uint8_t, 256> make_char_classes() {
  std::array<std::uint8_t, 256> classes{};
  constexpr std::string_view kToken = "!#$%&'*+-.^_`|~";  // RFC 9110 5.6.2, besides letters and digits
  constexpr std::string_view kHost = "-._~";              // RFC 3986 2.3, unreserved; see is_host()
  for (std::size_t c = 0; c < classes.size(); ++c) {
    const char as_char = static_cast<char>(c);
    const bool is_alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    std::uint8_t of = 0;
    if (is_alnum || (c < 0x80 && kToken.find(as_char) != kToken.npos)) of |= kTokenChar;
    if (c == '\t' || (c >= ' ' && c != 0x7f)) of |= kFieldChar;
    if (c > ' ' && c < 0x7f && c != '#') of |= kTargetChar;
    if (is_alnum || (c < 0x80 && kHost.find(as_char) != kHost.npos)) of |= kHostChar;
    classes[c] = of;
  }
  return classes;
}
inline constexpr std::array<std::uint8_t, 256> kCharClasses = make_char_classes();

constexpr bool is_of(char c, CharClass of) {
  return (kCharClasses[static_cast<unsigned char>(c)] & of) != 0;
}
}  // namespace detail

/// RFC 9110 5.6.2.
constexpr bool is_token_char(char c) {
  return detail::is_of(c, detail::kTokenChar);
}
bool is_token(std::string_view text);

/// RFC 9110 5.5: visible characters, SP, HTAB and obs-text (0x80 and up). No other control character, NUL,
/// CR, LF or DEL.
bool is_field_value(std::string_view text);

/// What stands in a request-line as a target: all visible ASCII but '#', for a fragment never travels. Also
/// what RFC 3986 wants percent-encoded (`"<>[]^`{|}\`): browsers send some of it, and here it cannot be taken
/// for anything else.
bool is_target(std::string_view text);

/// Which of the fields that we look at, by name, whatever its case. `name` is a token.
FieldId identify(std::string_view name);

/// Case-sensitive (RFC 9110 9.1).
Method parse_method(std::string_view token);

/// uri-host [":" port] (RFC 9110 7.2): a registered name, an IPv4 address or a bracketed IPv6 address, not
/// empty, at most kMaxHost bytes in all; the port 0 to 65535 or empty. No user information. Of what RFC
/// 3986 3.2.2 allows in a registered name, sub-delims (`!$&'()*+,;=`) are refused: no host has them, and a
/// comma would make two hosts of one in X-Forwarded-Host.
bool is_host(std::string_view authority);
inline constexpr std::size_t kMaxHost = 255;

/// Content-Length: digits, at most 2^63-1 (RFC 9110 8.6). A list ("5, 5") is none.
std::optional<std::uint64_t> parse_length(std::string_view value);

/// The members of a comma list, empty ones left out (RFC 9110 5.6.1.2). Not for lists with quoted strings.
///     for (ListMembers list(value); auto member = list.next();)
class ListMembers {
 public:
  explicit ListMembers(std::string_view value) : rest_(value) {}
  std::optional<std::string_view> next();

 private:
  std::string_view rest_;
};
/// Whether a comma list has this token, whatever its case.
bool has_member(std::string_view list, std::string_view token);

/// "name: value" without its line end. The views look into `line`. Nothing: not a field line (RFC 9112 5: no
/// name, a character that does not belong, white space before the colon, or a folded line, which starts with
/// white space).
std::optional<Field> parse_field_line(std::string_view line);

/// chunk-ext of RFC 9112 7.1.1: what stands between a chunk's size and its line end; empty is fine.
bool is_chunk_extension(std::string_view text);

}  // namespace upstream
