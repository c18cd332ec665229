// What is wrong with one value, and where; and the words that say so. Which value may stand where is not
// known here: see conf/values.h.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "conf/node.h"

namespace conf {

/// Why a value was not read, and where (a list's item has its own place). The sentence goes on after "`key`
/// ".
struct Fault {
  std::size_t line;
  std::size_t column;
  std::string sentence;
};

/// "must be X, not Y", at the node.
Fault unexpected(Node const& node, std::string_view expected);

/// What a node is, for "must be X, not Y".
std::string describe(Node const& node);

/// A TOML basic string with its quotes. `text` is UTF-8.
// Not "quoted": where <iomanip> is included, that name finds std::quoted too, by its argument.
std::string in_quotes(std::string_view text);

}  // namespace conf
