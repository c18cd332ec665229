#include "conf/values.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "conf/forms.h"
#include "conf/origin.h"
#include "conf/units.h"
#include "runtime/text.h"

namespace conf {
namespace {

Fault fault(Node const& node, std::string sentence) {
  return {node.line, node.column, std::move(sentence)};
}

// Calls read_item(text, item's node) for each; all items must be strings.
template <class T, class F>
std::optional<Fault> read_list(Node const& node, Row const& row, std::vector<T>& value, F read_item) {
  if (node.kind != Node::Kind::kList) return unexpected(node, expected(value, row));
  if (node.items.size() > row.most) return fault(node, fmt::format("has more than {} items", row.most));
  value.clear();
  for (Node const& item : node.items) {
    if (item.kind != Node::Kind::kString) return unexpected(item, expected(value, row));
    if (std::optional<Fault> bad = read_item(item)) return bad;
  }
  return std::nullopt;
}

std::string write_list(std::vector<std::string> const& items) {
  if (items.empty()) return {};
  return fmt::format("[{}]", fmt::join(items, ", "));
}

std::string lowered(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), runtime::lower);
  return out;
}

std::optional<Fault> read_whole_number(Node const& node, Row const& row, std::size_t& value) {
  bool const is_within = node.kind == Node::Kind::kInteger && node.number >= 0 &&
                         static_cast<std::uint64_t>(node.number) >= row.least &&
                         static_cast<std::uint64_t>(node.number) <= row.most;
  if (!is_within) return unexpected(node, expected(std::size_t{}, row));
  value = static_cast<std::size_t>(node.number);
  return std::nullopt;
}

// One bound of { min = 1, max = 8 }.
std::optional<Fault> read_bound(Entry const& entry, Row const& row, std::size_t& value) {
  if (!read_whole_number(entry.value, row, value)) return std::nullopt;
  return fault(entry.value, fmt::format("must have {} for `{}`, not {}", expected(value, row), entry.key,
                                        describe(entry.value)));
}

std::optional<Fault> read_bounds(Node const& node, Row const& row, Workers& value) {
  value = {.min = 1, .max = 0};
  Row const may_be_none{.key = row.key, .meaning = row.meaning, .least = 0, .most = row.most};
  for (Entry const& entry : node.entries) {
    std::optional<Fault> bad;
    if (entry.key == "min") {
      bad = read_bound(entry, may_be_none, value.min);
    } else if (entry.key == "max") {
      bad = read_bound(entry, row, value.max);
    } else {
      bad = Fault{entry.line, entry.column,
                  fmt::format("has `min` and `max`, and no `{}`", printable(entry.key))};
    }
    if (bad) return bad;
  }
  if (value.max == 0) return fault(node, "with bounds needs `max`, as in { min = 1, max = 8 }");
  if (value.min <= value.max) return std::nullopt;
  return fault(node, fmt::format("has a `min` of {}, more than its `max` of {}", value.min, value.max));
}

}  // namespace

std::optional<Fault> read(Node const& node, Row const& row, std::string& value) {
  if (node.kind != Node::Kind::kString) return unexpected(node, expected(value, row));
  // An empty string is the same as no line, for those who fill in a template.
  if (node.text.empty() && row.unset.empty()) return fault(node, "must not be empty");
  if (std::optional<std::string> bad = node.text.empty() ? std::nullopt : refusal(node.text, row.form)) {
    return fault(node, *bad);
  }
  value = node.text;
  return std::nullopt;
}

std::string write(std::string const& value, Row const& row) {
  return value.empty() && !row.unset.empty() ? std::string() : in_quotes(value);
}

std::string expected(std::string const&, Row const&) {
  return "a string";
}

std::optional<Fault> read(Node const& node, Row const& row, bool& value) {
  if (node.kind != Node::Kind::kBoolean) return unexpected(node, expected(value, row));
  value = node.number != 0;
  return std::nullopt;
}

std::string write(bool value, Row const&) {
  return value ? "true" : "false";
}

std::string expected(bool, Row const&) {
  return "true or false";
}

std::optional<Fault> read(Node const& node, Row const& row, std::size_t& value) {
  if (row.form != Form::kSize) return read_whole_number(node, row, value);
  std::optional<runtime::Bytes> const size =
      node.kind == Node::Kind::kString ? parse_size(node.text) : std::nullopt;
  if (!size || *size < row.least || *size > row.most) return unexpected(node, expected(value, row));
  value = *size;
  return std::nullopt;
}

std::string write(std::size_t value, Row const& row) {
  if (row.form == Form::kSize) return in_quotes(print_size(value));
  return value == 0 && !row.unset.empty() ? std::string() : fmt::to_string(value);
}

std::string expected(std::size_t, Row const& row) {
  if (row.form != Form::kSize) return fmt::format("a number from {} to {}", row.least, row.most);
  return fmt::format("a size with its unit from {} to {}, such as \"64KiB\"",
                     in_quotes(print_size(row.least)), in_quotes(print_size(row.most)));
}

std::optional<Fault> read(Node const& node, Row const& row, milliseconds& value) {
  std::optional<milliseconds> const duration =
      node.kind == Node::Kind::kString ? parse_duration(node.text) : std::nullopt;
  if (!duration || *duration < milliseconds(row.least) || *duration > milliseconds(row.most)) {
    return unexpected(node, expected(value, row));
  }
  value = *duration;
  return std::nullopt;
}

std::string write(milliseconds value, Row const&) {
  return in_quotes(print_duration(value));
}

std::string expected(milliseconds, Row const& row) {
  return fmt::format("a duration with its unit from {} to {}, such as \"30s\" or \"500ms\"",
                     in_quotes(print_duration(milliseconds(row.least))),
                     in_quotes(print_duration(milliseconds(row.most))));
}

std::optional<Fault> read(Node const& node, Row const& row, Count& value) {
  bool const is_auto = node.kind == Node::Kind::kString && node.text == "auto";
  if (is_auto) value.number = 0;
  if (is_auto || !read_whole_number(node, row, value.number)) return std::nullopt;
  return unexpected(node, expected(value, row));
}

std::string write(Count value, Row const&) {
  return value.is_auto() ? "\"auto\"" : fmt::to_string(value.number);
}

std::string expected(Count, Row const& row) {
  return fmt::format("\"auto\" or a number from {} to {}", row.least, row.most);
}

std::optional<Fault> read(Node const& node, Row const& row, Workers& value) {
  if (node.kind == Node::Kind::kTable) return read_bounds(node, row, value);
  Count count;
  if (read(node, row, count)) return unexpected(node, expected(value, row));
  value = count.is_auto() ? Workers::automatic() : Workers::fixed(count.number);
  return std::nullopt;
}

std::string write(Workers value, Row const&) {
  if (value.is_auto) return "\"auto\"";
  if (value.is_fixed()) return fmt::to_string(value.min);
  return fmt::format("{{ min = {}, max = {} }}", value.min, value.max);
}

std::string expected(Workers, Row const& row) {
  return fmt::format("\"auto\", a number from {} to {}, or {{ min = 1, max = 8 }}", row.least, row.most);
}

std::optional<Fault> read(Node const& node, Row const& row, std::optional<Umask>& value) {
  bool const is_octal = node.kind == Node::Kind::kString && !node.text.empty() && node.text.size() <= 4 &&
                        node.text.find_first_not_of("01234567") == std::string::npos;
  std::uint32_t bits = 0;
  for (char c : is_octal ? std::string_view(node.text) : std::string_view()) {
    bits = bits * 8 + static_cast<std::uint32_t>(c - '0');
  }
  if (!is_octal || bits > row.most) return unexpected(node, expected(value, row));
  value = Umask{bits};
  return std::nullopt;
}

std::string write(std::optional<Umask> value, Row const&) {
  return value ? in_quotes(fmt::format("{:03o}", value->bits)) : std::string();
}

// Text, not a number: 27 in TOML is decimal and would be the mask 033.
std::string expected(std::optional<Umask>, Row const&) {
  return "octal digits in quotes, such as \"027\"";
}

std::optional<Fault> read(Node const& node, Row const& row, std::optional<Address>& value) {
  if (node.kind != Node::Kind::kString) return unexpected(node, expected(value, row));
  if (node.text.empty()) return std::nullopt;
  runtime::Result<Address> address = parse_address(node.text);
  if (!address)
    return fault(node, fmt::format("is {}: {}", in_quotes(printable(node.text)), address.error().sentence));
  value = std::move(*address);
  return std::nullopt;
}

std::string write(std::optional<Address> const& value, Row const&) {
  return value ? in_quotes(value->text) : std::string();
}

std::string expected(std::optional<Address> const&, Row const&) {
  return "\"host:port\", \"*:port\", \"[::]:port\" or \"unix:PATH\"";
}

std::optional<Fault> read(Node const& node, Row const& row, std::vector<std::string>& value) {
  return read_list(node, row, value, [&](Node const& item) -> std::optional<Fault> {
    if (std::optional<std::string> bad = refusal(item.text, row.form)) return fault(item, *bad);
    value.push_back(row.form == Form::kHost ? lowered(item.text) : item.text);
    return std::nullopt;
  });
}

std::string write(std::vector<std::string> const& value, Row const&) {
  std::vector<std::string> items;
  for (std::string const& item : value) items.push_back(in_quotes(item));
  return write_list(items);
}

std::string expected(std::vector<std::string> const&, Row const&) {
  return "a list of strings";
}

std::optional<Fault> read(Node const& node, Row const& row, std::vector<Address>& value) {
  return read_list(node, row, value, [&](Node const& item) -> std::optional<Fault> {
    runtime::Result<Address> address = parse_address(item.text);
    if (!address) {
      return fault(item,
                   fmt::format("has {}: {}", in_quotes(printable(item.text)), address.error().sentence));
    }
    if (row.form == Form::kSocketPath && address->kind != Address::Kind::kUnix)
      return unexpected(item, expected(value, row));
    value.push_back(std::move(*address));
    return std::nullopt;
  });
}

std::string write(std::vector<Address> const& value, Row const&) {
  std::vector<std::string> items;
  for (Address const& address : value) items.push_back(in_quotes(address.text));
  return write_list(items);
}

std::string expected(std::vector<Address> const&, Row const& row) {
  return row.form == Form::kSocketPath
             ? "a list of \"unix:PATH\""
             : "a list of \"host:port\", \"*:port\", \"[::]:port\" or \"unix:PATH\"";
}

std::optional<Fault> read(Node const& node, Row const& row, std::vector<Network>& value) {
  return read_list(node, row, value, [&](Node const& item) -> std::optional<Fault> {
    runtime::Result<Network> network = parse_network(item.text);
    if (!network) {
      return fault(item,
                   fmt::format("has {}: {}", in_quotes(printable(item.text)), network.error().sentence));
    }
    value.push_back(std::move(*network));
    return std::nullopt;
  });
}

std::string write(std::vector<Network> const& value, Row const&) {
  std::vector<std::string> items;
  for (Network const& network : value) items.push_back(in_quotes(network.text));
  return write_list(items);
}

std::string expected(std::vector<Network> const&, Row const&) {
  return "a list of addresses or blocks, such as \"10.0.0.0/8\"";
}

std::optional<Fault> read(Node const& node, Row const& row, std::map<std::string, std::string>& value) {
  if (node.kind != Node::Kind::kTable) return unexpected(node, expected(value, row));
  value.clear();
  for (Entry const& entry : node.entries) {
    std::string const& name = entry.key;
    if (name.empty() || name.find_first_of(std::string_view("=\0", 2)) != std::string::npos) {
      return Fault{entry.line, entry.column,
                   "has a name that no environment can hold: empty, or with `=` or NUL"};
    }
    if (entry.value.kind != Node::Kind::kString) {
      return fault(entry.value, fmt::format("must have a string for `{}`, not {}", printable(name),
                                            describe(entry.value)));
    }
    if (std::optional<std::string> bad = refusal(entry.value.text, row.form)) return fault(entry.value, *bad);
    value.emplace(name, entry.value.text);
  }
  return std::nullopt;
}

std::string write(std::map<std::string, std::string> const& value, Row const&) {
  if (value.empty()) return {};
  std::vector<std::string> items;
  for (auto const& [name, text] : value) {
    items.push_back(fmt::format("{} = {}", is_bare_key(name) ? name : in_quotes(name), in_quotes(text)));
  }
  return fmt::format("{{ {} }}", fmt::join(items, ", "));
}

std::string expected(std::map<std::string, std::string> const&, Row const&) {
  return "a table of strings";
}

}  // namespace conf
