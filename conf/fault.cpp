#include "conf/fault.h"

#include <fmt/format.h>

#include "conf/origin.h"

namespace conf {

Fault unexpected(Node const& node, std::string_view expected) {
  return {node.line, node.column, fmt::format("must be {}, not {}", expected, describe(node))};
}

std::string describe(Node const& node) {
  switch (node.kind) {
    case Node::Kind::kString:
      return in_quotes(printable(node.text));
    case Node::Kind::kInteger:
      return fmt::to_string(node.number);
    case Node::Kind::kBoolean:
      return node.number != 0 ? "true" : "false";
    case Node::Kind::kFraction:
      return "a number with a fraction";
    case Node::Kind::kDate:
      return "a date or time";
    case Node::Kind::kList:
      return "a list";
    case Node::Kind::kTable:
      return "a table";
  }
  return "something else";
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if ((c >= 0 && c < ' ') || c == 0x7f) {
      out += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace conf
