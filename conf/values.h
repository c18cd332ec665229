// How one value of each type is read from a file, written back, and described: read(write(value)) gives the
// value again. Bounds and forms come from the value's Row (conf/keys.h). Tables are not values: see
// conf/reader.h; values that are one of a few words, in conf/words.h.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "conf/fault.h"
#include "conf/keys.h"
#include "conf/rlimits.h"
#include "conf/words.h"

namespace conf {

/// read: fills the value or returns a Fault and leaves the value in some state that is never used.
/// write: the value as TOML; empty where it is at its "unset" (Row::unset says what then holds).
/// expected: what may stand there, as in "must be ...".
std::optional<Fault> read(Node const& node, Row const& row, std::string& value);
std::optional<Fault> read(Node const& node, Row const& row, bool& value);
std::optional<Fault> read(Node const& node, Row const& row,
                          std::size_t& value);  // a number, or bytes by Form::kSize
std::optional<Fault> read(Node const& node, Row const& row, milliseconds& value);
std::optional<Fault> read(Node const& node, Row const& row, Count& value);
std::optional<Fault> read(Node const& node, Row const& row, Workers& value);
std::optional<Fault> read(Node const& node, Row const& row, std::optional<Umask>& value);
std::optional<Fault> read(Node const& node, Row const& row, std::optional<Address>& value);
std::optional<Fault> read(Node const& node, Row const& row, std::vector<std::string>& value);
std::optional<Fault> read(Node const& node, Row const& row, std::vector<Address>& value);
std::optional<Fault> read(Node const& node, Row const& row, std::vector<Network>& value);
std::optional<Fault> read(Node const& node, Row const& row, std::map<std::string, std::string>& value);

std::string write(std::string const& value, Row const& row);
std::string write(bool value, Row const& row);
std::string write(std::size_t value, Row const& row);
std::string write(milliseconds value, Row const& row);
std::string write(Count value, Row const& row);
std::string write(Workers value, Row const& row);
std::string write(std::optional<Umask> value, Row const& row);
std::string write(std::optional<Address> const& value, Row const& row);
std::string write(std::vector<std::string> const& value, Row const& row);
std::string write(std::vector<Address> const& value, Row const& row);
std::string write(std::vector<Network> const& value, Row const& row);
std::string write(std::map<std::string, std::string> const& value, Row const& row);

std::string expected(std::string const&, Row const& row);
std::string expected(bool, Row const& row);
std::string expected(std::size_t, Row const& row);
std::string expected(milliseconds, Row const& row);
std::string expected(Count, Row const& row);
std::string expected(Workers, Row const& row);
std::string expected(std::optional<Umask>, Row const& row);
std::string expected(std::optional<Address> const&, Row const& row);
std::string expected(std::vector<std::string> const&, Row const& row);
std::string expected(std::vector<Address> const&, Row const& row);
std::string expected(std::vector<Network> const&, Row const& row);
std::string expected(std::map<std::string, std::string> const&, Row const& row);

/// A value that may be absent.
template <class T>
std::optional<Fault> read(Node const& node, Row const& row, std::optional<T>& value) {
  return read(node, row, value.emplace());
}
template <class T>
std::string write(std::optional<T> const& value, Row const& row) {
  return value ? write(*value, row) : std::string();
}
template <class T>
std::string expected(std::optional<T> const&, Row const& row) {
  return expected(T{}, row);
}

}  // namespace conf
