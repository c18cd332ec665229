// Reads the three forms of a date in HTTP (RFC 9110 5.6.7). Written are they by runtime::http_date(). Pure.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace proxy {

/// Seconds since 1970. Nothing: not a date in one of the three forms, character by character.
std::optional<std::int64_t> parse_http_date(std::string_view text);

}  // namespace proxy
