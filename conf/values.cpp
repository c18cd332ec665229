#include "conf/values.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "conf/forms.h"
#include "conf/units.h"
#include "runtime/text.h"

namespace conf {
namespace {

template <class T>
struct Named {
  std::string_view name;
  T value;
};

constexpr std::array<Named<TlsVersion>, 2> kTlsVersions = {
    {{"1.2", TlsVersion::k12}, {"1.3", TlsVersion::k13}}};
constexpr std::array<Named<AccessFormat>, 2> kAccessFormats = {
    {{"json", AccessFormat::kJson}, {"combined", AccessFormat::kCombined}}};
constexpr std::array<Named<LogLevel>, 4> kLogLevels = {{{"debug", LogLevel::kDebug},
                                                        {"info", LogLevel::kInfo},
                                                        {"warning", LogLevel::kWarning},
                                                        {"error", LogLevel::kError}}};
constexpr std::array<Named<PlainHttp>, 3> kPlainHttps = {
    {{"redirect", PlainHttp::kRedirect}, {"serve", PlainHttp::kServe}, {"refuse", PlainHttp::kRefuse}}};
// KILL and STOP are missing on purpose: a worker cannot finish what it has in flight on them.
constexpr std::array<Named<Signal>, 7> kSignals = {{{"TERM", {SIGTERM}},
                                                    {"INT", {SIGINT}},
                                                    {"QUIT", {SIGQUIT}},
                                                    {"HUP", {SIGHUP}},
                                                    {"USR1", {SIGUSR1}},
                                                    {"USR2", {SIGUSR2}},
                                                    {"WINCH", {SIGWINCH}}}};

Fault fault(Node const& node, std::string sentence) {
  return {node.line, node.column, std::move(sentence)};
}

template <class T>
Fault unexpected(Node const& node, Row const& row, T const& value) {
  return fault(node, fmt::format("must be {}, not {}", expected(value, row), describe(node)));
}

template <class T, std::size_t N>
std::string one_of(std::array<Named<T>, N> const& names) {
  std::vector<std::string> quoted_names;
  for (Named<T> const& named : names) quoted_names.push_back(quoted(named.name));
  std::string const last = std::move(quoted_names.back());
  quoted_names.pop_back();
  return fmt::format("{} or {}", fmt::join(quoted_names, ", "), last);
}

template <class T, std::size_t N>
std::optional<Fault> read_name(Node const& node, Row const& row, T& value,
                               std::array<Named<T>, N> const& names) {
  for (Named<T> const& named : names) {
    if (node.kind == Node::Kind::kString && node.text == named.name) {
      value = named.value;
      return std::nullopt;
    }
  }
  return unexpected(node, row, value);
}

template <class T, std::size_t N>
std::string name_of(T value, std::array<Named<T>, N> const& names) {
  return quoted(std::ranges::find(names, value, &Named<T>::value)->name);
}

// Calls read_item(text, item's node) for each; all items must be strings.
template <class T, class F>
std::optional<Fault> read_list(Node const& node, Row const& row, std::vector<T>& value, F read_item) {
  if (node.kind != Node::Kind::kList) return unexpected(node, row, value);
  if (node.items.size() > row.most) return fault(node, fmt::format("has more than {} items", row.most));
  value.clear();
  for (Node const& item : node.items) {
    if (item.kind != Node::Kind::kString) return unexpected(item, row, value);
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
  if (!is_within) return unexpected(node, row, std::size_t{});
  value = static_cast<std::size_t>(node.number);
  return std::nullopt;
}

}  // namespace

std::optional<Fault> read(Node const& node, Row const& row, std::string& value) {
  if (node.kind != Node::Kind::kString) return unexpected(node, row, value);
  // An empty string is the same as no line, for those who fill in a template.
  if (node.text.empty() && row.unset.empty()) return fault(node, "must not be empty");
  if (std::optional<std::string> bad = node.text.empty() ? std::nullopt : refusal(node.text, row.form)) {
    return fault(node, *bad);
  }
  value = node.text;
  return std::nullopt;
}

std::string write(std::string const& value, Row const& row) {
  return value.empty() && !row.unset.empty() ? std::string() : quoted(value);
}

std::string expected(std::string const&, Row const&) {
  return "a string";
}

std::optional<Fault> read(Node const& node, Row const& row, bool& value) {
  if (node.kind != Node::Kind::kBoolean) return unexpected(node, row, value);
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
  if (!size || *size < row.least || *size > row.most) return unexpected(node, row, value);
  value = *size;
  return std::nullopt;
}

std::string write(std::size_t value, Row const& row) {
  if (row.form == Form::kSize) return quoted(print_size(value));
  return value == 0 && !row.unset.empty() ? std::string() : fmt::to_string(value);
}

std::string expected(std::size_t, Row const& row) {
  if (row.form != Form::kSize) return fmt::format("a number from {} to {}", row.least, row.most);
  return fmt::format("a size with its unit from {} to {}, such as \"64KiB\"", quoted(print_size(row.least)),
                     quoted(print_size(row.most)));
}

std::optional<Fault> read(Node const& node, Row const& row, milliseconds& value) {
  std::optional<milliseconds> const duration =
      node.kind == Node::Kind::kString ? parse_duration(node.text) : std::nullopt;
  if (!duration || *duration < milliseconds(row.least) || *duration > milliseconds(row.most)) {
    return unexpected(node, row, value);
  }
  value = *duration;
  return std::nullopt;
}

std::string write(milliseconds value, Row const&) {
  return quoted(print_duration(value));
}

std::string expected(milliseconds, Row const& row) {
  return fmt::format("a duration with its unit from {} to {}, such as \"30s\" or \"500ms\"",
                     quoted(print_duration(milliseconds(row.least))),
                     quoted(print_duration(milliseconds(row.most))));
}

std::optional<Fault> read(Node const& node, Row const& row, Count& value) {
  bool const is_auto = node.kind == Node::Kind::kString && node.text == "auto";
  if (is_auto) value.number = 0;
  if (is_auto || !read_whole_number(node, row, value.number)) return std::nullopt;
  return unexpected(node, row, value);
}

std::string write(Count value, Row const&) {
  return value.is_auto() ? "\"auto\"" : fmt::to_string(value.number);
}

std::string expected(Count, Row const& row) {
  return fmt::format("\"auto\" or a number from {} to {}", row.least, row.most);
}

std::optional<Fault> read(Node const& node, Row const& row, Signal& value) {
  Node name = node;
  if (name.text.starts_with("SIG")) name.text.erase(0, 3);
  if (read_name(name, row, value, kSignals)) return unexpected(node, row, value);
  return std::nullopt;
}

std::string write(Signal value, Row const&) {
  return quoted(signal_name(value.number));
}

std::string expected(Signal, Row const&) {
  return one_of(kSignals);
}

std::string signal_name(int number) {
  auto const named = std::ranges::find(kSignals, Signal{number}, &Named<Signal>::value);
  return named == kSignals.end() ? fmt::to_string(number) : std::string(named->name);
}

std::optional<Fault> read(Node const& node, Row const& row, std::optional<Umask>& value) {
  bool const is_octal = node.kind == Node::Kind::kString && !node.text.empty() && node.text.size() <= 4 &&
                        node.text.find_first_not_of("01234567") == std::string::npos;
  std::uint32_t bits = 0;
  for (char c : is_octal ? std::string_view(node.text) : std::string_view()) {
    bits = bits * 8 + static_cast<std::uint32_t>(c - '0');
  }
  if (!is_octal || bits > row.most) return unexpected(node, row, value);
  value = Umask{bits};
  return std::nullopt;
}

std::string write(std::optional<Umask> value, Row const&) {
  return value ? quoted(fmt::format("{:03o}", value->bits)) : std::string();
}

// Text, not a number: 27 in TOML is decimal and would be the mask 033.
std::string expected(std::optional<Umask>, Row const&) {
  return "octal digits in quotes, such as \"027\"";
}

std::optional<Fault> read(Node const& node, Row const& row, TlsVersion& value) {
  return read_name(node, row, value, kTlsVersions);
}
std::string write(TlsVersion value, Row const&) {
  return name_of(value, kTlsVersions);
}
std::string expected(TlsVersion, Row const&) {
  return one_of(kTlsVersions);
}

std::optional<Fault> read(Node const& node, Row const& row, AccessFormat& value) {
  return read_name(node, row, value, kAccessFormats);
}
std::string write(AccessFormat value, Row const&) {
  return name_of(value, kAccessFormats);
}
std::string expected(AccessFormat, Row const&) {
  return one_of(kAccessFormats);
}

std::optional<Fault> read(Node const& node, Row const& row, LogLevel& value) {
  return read_name(node, row, value, kLogLevels);
}
std::string write(LogLevel value, Row const&) {
  return name_of(value, kLogLevels);
}
std::string expected(LogLevel, Row const&) {
  return one_of(kLogLevels);
}

std::optional<Fault> read(Node const& node, Row const& row, PlainHttp& value) {
  return read_name(node, row, value, kPlainHttps);
}
std::string write(PlainHttp value, Row const&) {
  return name_of(value, kPlainHttps);
}
std::string expected(PlainHttp, Row const&) {
  return one_of(kPlainHttps);
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
  for (std::string const& item : value) items.push_back(quoted(item));
  return write_list(items);
}

std::string expected(std::vector<std::string> const&, Row const&) {
  return "a list of strings";
}

std::optional<Fault> read(Node const& node, Row const& row, std::vector<Address>& value) {
  return read_list(node, row, value, [&](Node const& item) -> std::optional<Fault> {
    runtime::Result<Address> address = parse_address(item.text);
    if (!address) {
      return fault(item, fmt::format("has {}: {}", quoted(printable(item.text)), address.error().sentence));
    }
    if (row.form == Form::kSocketPath && address->kind != Address::Kind::kUnix)
      return unexpected(item, row, value);
    value.push_back(std::move(*address));
    return std::nullopt;
  });
}

std::string write(std::vector<Address> const& value, Row const&) {
  std::vector<std::string> items;
  for (Address const& address : value) items.push_back(quoted(address.text));
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
      return fault(item, fmt::format("has {}: {}", quoted(printable(item.text)), network.error().sentence));
    }
    value.push_back(std::move(*network));
    return std::nullopt;
  });
}

std::string write(std::vector<Network> const& value, Row const&) {
  std::vector<std::string> items;
  for (Network const& network : value) items.push_back(quoted(network.text));
  return write_list(items);
}

std::string expected(std::vector<Network> const&, Row const&) {
  return "a list of addresses or blocks, such as \"10.0.0.0/8\"";
}

std::optional<Fault> read(Node const& node, Row const& row, std::map<std::string, std::string>& value) {
  if (node.kind != Node::Kind::kTable) return unexpected(node, row, value);
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
    items.push_back(fmt::format("{} = {}", is_bare_key(name) ? name : quoted(name), quoted(text)));
  }
  return fmt::format("{{ {} }}", fmt::join(items, ", "));
}

std::string expected(std::map<std::string, std::string> const&, Row const&) {
  return "a table of strings";
}

std::string quoted(std::string_view text) {
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

std::string describe(Node const& node) {
  switch (node.kind) {
    case Node::Kind::kString:
      return quoted(printable(node.text));
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

}  // namespace conf
