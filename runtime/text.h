// ASCII text: the few questions that locale-aware functions answer wrongly or slowly.
#pragma once
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace runtime {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

/// Equal but for ASCII case.
bool equals_ignoring_case(std::string_view a, std::string_view b);

/// Spaces and tabs off both ends.
std::string_view trim(std::string_view s);

/// Digits only, the whole string, no sign, no overflow; else nothing.
std::optional<std::uint64_t> parse_number(std::string_view digits);

std::vector<std::string_view> split(std::string_view s, char separator);

/// The same as text of a manual page, in scdoc(5)'s language; what stands between `backticks` is bold there.
std::string scdoc(std::string_view s);

/// Edits (insert, delete, replace, swap of neighbours) between a and b; for "did you mean".
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The one of `known` that `word` may have been meant to be: a third of its letters wrong at most. Nothing: none
/// is near.
std::optional<std::string_view> nearest(std::string_view word, const std::vector<std::string_view>& known);

}  // namespace runtime
