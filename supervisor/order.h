// An order as it came over the control socket: the verb, the app that it names, and what else it says. Pure.
// What it leads to: verbs.h.
#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/result.h"

namespace supervisor {

struct Order {
  std::string verb;
  std::string app;        ///< empty: it names none
  nlohmann::json fields;  ///< all of it, an object from somebody else: ask by the functions below

  // Nothing: it is not there, or is something else.
  std::optional<std::uint64_t> number(std::string_view key) const;
  std::optional<std::string> text(std::string_view key) const;
  bool flag(std::string_view key) const;  ///< true only if it is
};

/// Errors, kConfig: it is no JSON object with a "verb", or "app" is no text.
runtime::Result<Order> parse_order(std::string_view line);

}  // namespace supervisor
