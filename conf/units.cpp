#include "conf/units.h"

#include <fmt/format.h>

#include <array>
#include <limits>

#include "runtime/text.h"

namespace conf {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t worth;
  std::uint64_t from = 1;  // printed in this unit from so many of them on
};

// "60s" reads better than "1m", as the defaults in docs/design.md do; from two minutes on the larger unit
// does.
constexpr std::array<Unit, 4> kDurations = {{{"h", 3'600'000, 2}, {"m", 60'000, 2}, {"s", 1'000}, {"ms", 1}}};
constexpr std::array<Unit, 5> kSizes = {
    {{"TiB", 1ULL << 40}, {"GiB", 1ULL << 30}, {"MiB", 1ULL << 20}, {"KiB", 1ULL << 10}, {"B", 1}}};

// Half of the range, so that a sum of two settings cannot overflow either.
constexpr std::uint64_t kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / 2;

std::optional<std::uint64_t> parse(std::string_view text, std::span<Unit const> units) {
  std::size_t const digits = std::min(text.find_first_not_of("0123456789"), text.size());
  std::optional<std::uint64_t> const number = runtime::parse_number(text.substr(0, digits));
  if (!number) return std::nullopt;
  for (Unit const& unit : units) {
    if (text.substr(digits) != unit.name) continue;
    if (*number > kMost / unit.worth) return std::nullopt;
    return *number * unit.worth;
  }
  return std::nullopt;
}

std::string print(std::uint64_t value, std::span<Unit const> units, std::string_view zero) {
  if (value == 0) return std::string(zero);
  for (Unit const& unit : units) {
    if (value % unit.worth == 0 && value / unit.worth >= unit.from) {
      return fmt::format("{}{}", value / unit.worth, unit.name);
    }
  }
  return fmt::format("{}{}", value, units.back().name);
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  std::optional<std::uint64_t> const value = parse(text, kDurations);
  if (!value) return std::nullopt;
  return std::chrono::milliseconds(*value);
}

std::string print_duration(std::chrono::milliseconds duration) {
  return print(static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0)), kDurations, "0s");
}

std::optional<runtime::Bytes> parse_size(std::string_view text) {
  return parse(text, kSizes);
}

std::string print_size(runtime::Bytes size) {
  return print(size, kSizes, "0B");
}

}  // namespace conf
