#include "conf/forms.h"

#include <fmt/format.h>

#include <algorithm>

#include "conf/address.h"
#include "conf/fault.h"
#include "conf/origin.h"
#include "runtime/text.h"

namespace conf {
namespace {

constexpr std::size_t kLongestHost = 253;  // RFC 1035 2.3.4, without the last dot
constexpr std::size_t kLongestLabel = 63;
constexpr std::size_t kLongestName = 32;  // of a user or group, useradd(8); of an app

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= kLongestLabel && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, [](char c) { return is_letter_or_digit(c) || c == '-' || c == '_'; });
}

bool is_host(std::string_view host) {
  if (host == "*") return true;
  if (host.starts_with('[')) return parse_address(fmt::format("{}:0", host)).has_value();
  return host.size() <= kLongestHost && std::ranges::all_of(runtime::split(host, '.'), is_label);
}

bool is_url_path(std::string_view path) {
  return path.starts_with('/') &&
         std::ranges::all_of(path, [](char c) { return c > ' ' && c < 0x7f && c != '#'; });
}

// RFC 9110 10.2.2. What is not one of these two schemes is no place for a visitor of a web site.
bool is_location(std::string_view text) {
  if (is_url_path(text)) return !text.starts_with("//");
  for (std::string_view const scheme : {"http://", "https://"}) {
    if (!text.starts_with(scheme)) continue;
    std::string_view const rest = text.substr(scheme.size() - 1);  // with one "/" of the two
    return rest.size() > 1 && rest[1] != '/' && is_url_path(rest);
  }
  return false;
}

bool is_user_name(std::string_view name) {
  return name.size() <= kLongestName && !name.starts_with('-') && std::ranges::all_of(name, [](char c) {
           return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.';
         });
}

// A Python identifier; what is beyond ASCII is left to Python (PEP 3131).
bool is_identifier(std::string_view text) {
  auto const may_begin = [](char c) {
    return (is_letter_or_digit(c) && (c < '0' || c > '9')) || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
  };
  return !text.empty() && may_begin(text.front()) &&
         std::ranges::all_of(text, [&](char c) { return may_begin(c) || is_letter_or_digit(c); });
}

bool is_dotted(std::string_view text) {
  return std::ranges::all_of(runtime::split(text, '.'), is_identifier);
}

}  // namespace

// What one string must be beyond a string; nothing when it is.
std::optional<std::string> refusal(std::string_view text, Form form) {
  if (text.find('\0') != std::string_view::npos) return "may not hold a NUL byte";
  bool good = true;
  switch (form) {
    case Form::kHost:
      good = is_host(text);
      break;
    case Form::kName:
      good = is_user_name(text);
      break;
    case Form::kUrlPath:
      good = is_url_path(text);
      break;
    case Form::kLocation:
      good = is_location(text);
      break;
    case Form::kPlain:
    case Form::kPath:
    case Form::kProgram:
    case Form::kSize:
    case Form::kListenAddress:
    case Form::kSocketPath:
      break;
  }
  if (good) return std::nullopt;
  std::string_view const wanted = form == Form::kHost   ? "a host name without scheme and port (or `\"*\"`)"
                                  : form == Form::kName ? "a name of letters, digits, `-`, `_` and `.`"
                                  : form == Form::kLocation
                                      ? "a URL with http:// or https://, or a path that begins with one `/`"
                                      : "a path that begins with `/`, percent-encoded";
  return fmt::format("must be {}, not {}", wanted, in_quotes(printable(text)));
}

bool is_bare_key(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return is_letter_or_digit(c) || c == '_' || c == '-'; });
}

bool is_app_name(std::string_view name) {
  return is_bare_key(name) && name.size() <= kLongestName && is_letter_or_digit(name.front());
}

bool is_module_attr(std::string_view text) {
  std::size_t const colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  std::string_view attr = text.substr(colon + 1);
  if (attr.ends_with("()")) attr.remove_suffix(2);
  return is_dotted(text.substr(0, colon)) && is_dotted(attr);
}

}  // namespace conf
