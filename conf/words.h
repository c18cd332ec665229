// Values that are one of a few words, and which words those are: a TLS version, a log's format and level,
// what plain HTTP gets, what an abandoned request does, a signal. Numbers, texts and lists: conf/values.h, whose contracts hold here too.
#pragma once
#include <optional>
#include <string>

#include "conf/fault.h"
#include "conf/keys.h"

namespace conf {

std::optional<Fault> read(Node const& node, Row const& row, Signal& value);
std::optional<Fault> read(Node const& node, Row const& row, TlsVersion& value);
std::optional<Fault> read(Node const& node, Row const& row, AccessFormat& value);
std::optional<Fault> read(Node const& node, Row const& row, LogLevel& value);
std::optional<Fault> read(Node const& node, Row const& row, PlainHttp& value);
std::optional<Fault> read(Node const& node, Row const& row, OnAbandon& value);

std::string write(Signal value, Row const& row);
std::string write(TlsVersion value, Row const& row);
std::string write(AccessFormat value, Row const& row);
std::string write(LogLevel value, Row const& row);
std::string write(PlainHttp value, Row const& row);
std::string write(OnAbandon value, Row const& row);

std::string expected(Signal, Row const& row);
std::string expected(TlsVersion, Row const& row);
std::string expected(AccessFormat, Row const& row);
std::string expected(LogLevel, Row const& row);
std::string expected(PlainHttp, Row const& row);
std::string expected(OnAbandon, Row const& row);

/// "TERM" for 15; the number in digits where it has no name here.
std::string signal_name(int number);

}  // namespace conf
