#include "conf/words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <vector>

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
constexpr std::array<Named<OnAbandon>, 2> kOnAbandons = {
    {{"close", OnAbandon::kClose}, {"finish", OnAbandon::kFinish}}};
// KILL and STOP are missing on purpose: a worker cannot finish what it has in flight on them.
constexpr std::array<Named<Signal>, 7> kSignals = {{{"TERM", {SIGTERM}},
                                                    {"INT", {SIGINT}},
                                                    {"QUIT", {SIGQUIT}},
                                                    {"HUP", {SIGHUP}},
                                                    {"USR1", {SIGUSR1}},
                                                    {"USR2", {SIGUSR2}},
                                                    {"WINCH", {SIGWINCH}}}};

template <class T, std::size_t N>
std::string one_of(std::array<Named<T>, N> const& names) {
  std::vector<std::string> quoted_names;
  for (Named<T> const& named : names) quoted_names.push_back(in_quotes(named.name));
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
  return unexpected(node, expected(value, row));
}

template <class T, std::size_t N>
std::string name_of(T value, std::array<Named<T>, N> const& names) {
  return in_quotes(std::ranges::find(names, value, &Named<T>::value)->name);
}

}  // namespace

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

std::optional<Fault> read(Node const& node, Row const& row, OnAbandon& value) {
  return read_name(node, row, value, kOnAbandons);
}
std::string write(OnAbandon value, Row const&) {
  return name_of(value, kOnAbandons);
}
std::string expected(OnAbandon, Row const&) {
  return one_of(kOnAbandons);
}

std::optional<Fault> read(Node const& node, Row const& row, Signal& value) {
  Node name = node;
  if (name.text.starts_with("SIG")) name.text.erase(0, 3);
  if (read_name(name, row, value, kSignals)) return unexpected(node, expected(value, row));
  return std::nullopt;
}

std::string write(Signal value, Row const&) {
  return in_quotes(signal_name(value.number));
}

std::string expected(Signal, Row const&) {
  return one_of(kSignals);
}

std::string signal_name(int number) {
  auto const named = std::ranges::find(kSignals, Signal{number}, &Named<Signal>::value);
  return named == kSignals.end() ? fmt::to_string(number) : std::string(named->name);
}

}  // namespace conf
