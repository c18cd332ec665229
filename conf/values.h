// How one value of each type is read from a file, written back, and described: read(write(value)) gives the
// value again. Bounds and forms come from the value's Row (conf/keys.h). Tables are not values: see
// conf/reader.h.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "conf/keys.h"
#include "conf/node.h"
#include "conf/origin.h"

namespace conf {

/// Why a value was not read, and where (a list's item has its own place). The sentence goes on after "`key`
/// ".
struct Fault {
  std::size_t line;
  std::size_t column;
  std::string sentence;
};

/// read: fills the value or returns a Fault and leaves the value in some state that is never used.
/// write: the value as TOML; empty where it is at its "unset" (Row::unset says what then holds).
/// expected: what may stand there, as in "must be ...".
std::optional<Fault> read(Node const& node, Row const& row, std::string& value);
std::optional<Fault> read(Node const& node, Row const& row, bool& value);
std::optional<Fault> read(Node const& node, Row const& row,
                          std::size_t& value);  // a number, or bytes by Form::kSize
std::optional<Fault> read(Node const& node, Row const& row, milliseconds& value);
std::optional<Fault> read(Node const& node, Row const& row, Count& value);
std::optional<Fault> read(Node const& node, Row const& row, Signal& value);
std::optional<Fault> read(Node const& node, Row const& row, std::optional<Umask>& value);
std::optional<Fault> read(Node const& node, Row const& row, TlsVersion& value);
std::optional<Fault> read(Node const& node, Row const& row, AccessFormat& value);
std::optional<Fault> read(Node const& node, Row const& row, LogLevel& value);
std::optional<Fault> read(Node const& node, Row const& row, PlainHttp& value);
std::optional<Fault> read(Node const& node, Row const& row, std::vector<std::string>& value);
std::optional<Fault> read(Node const& node, Row const& row, std::vector<Address>& value);
std::optional<Fault> read(Node const& node, Row const& row, std::vector<Network>& value);
std::optional<Fault> read(Node const& node, Row const& row, std::map<std::string, std::string>& value);

std::string write(std::string const& value, Row const& row);
std::string write(bool value, Row const& row);
std::string write(std::size_t value, Row const& row);
std::string write(milliseconds value, Row const& row);
std::string write(Count value, Row const& row);
std::string write(Signal value, Row const& row);
std::string write(std::optional<Umask> value, Row const& row);
std::string write(TlsVersion value, Row const& row);
std::string write(AccessFormat value, Row const& row);
std::string write(LogLevel value, Row const& row);
std::string write(PlainHttp value, Row const& row);
std::string write(std::vector<std::string> const& value, Row const& row);
std::string write(std::vector<Address> const& value, Row const& row);
std::string write(std::vector<Network> const& value, Row const& row);
std::string write(std::map<std::string, std::string> const& value, Row const& row);

std::string expected(std::string const&, Row const& row);
std::string expected(bool, Row const& row);
std::string expected(std::size_t, Row const& row);
std::string expected(milliseconds, Row const& row);
std::string expected(Count, Row const& row);
std::string expected(Signal, Row const& row);
std::string expected(std::optional<Umask>, Row const& row);
std::string expected(TlsVersion, Row const& row);
std::string expected(AccessFormat, Row const& row);
std::string expected(LogLevel, Row const& row);
std::string expected(PlainHttp, Row const& row);
std::string expected(std::vector<std::string> const&, Row const& row);
std::string expected(std::vector<Address> const&, Row const& row);
std::string expected(std::vector<Network> const&, Row const& row);
std::string expected(std::map<std::string, std::string> const&, Row const& row);

/// A TOML basic string with its quotes. `text` is UTF-8.
std::string quoted(std::string_view text);

/// What a node is, for "must be X, not Y".
std::string describe(Node const& node);

/// "TERM" for 15; the number in digits where it has no name here.
std::string signal_name(int number);

}  // namespace conf
