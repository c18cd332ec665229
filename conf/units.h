// Durations and sizes as an operator writes them: "30s", "500ms", "64KiB". A whole number and a unit, nothing
// between. Bounds of a setting are not here: they stand in its row (conf/keys.h).
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/bytes.h"

namespace conf {

/// "500ms", "30s", "2m", "1h". Nothing when it is not of that form or does not fit.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// The shortest whole spelling: 90s is "90s", 120s is "2m". parse_duration gives the same value back.
std::string print_duration(std::chrono::milliseconds duration);

/// "100B", "64KiB", "1MiB", "10GiB", "1TiB". Nothing when it is not of that form or does not fit.
std::optional<runtime::Bytes> parse_size(std::string_view text);

/// In the largest unit that divides it.
std::string print_size(runtime::Bytes size);

}  // namespace conf
