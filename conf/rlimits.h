// Values that bound what a process takes of its machine: resource limits by name (getrlimit(2)), niceness, a share of the
// CPUs. How they are read and written, as in conf/values.h, whose contracts hold here too. Whether this machine gives them:
// conf/powers.h.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "conf/fault.h"
#include "conf/keys.h"

namespace conf {

/// One that `rlimits` may name.
struct Resource {
  enum class Unit { kNumber, kBytes, kSeconds };
  std::string_view name;   ///< as systemd has it, in lower case: "nofile"
  int number;              ///< RLIMIT_NOFILE
  Unit unit;
  std::uint64_t least;     ///< below it no program could start
};
std::span<Resource const> resources();
/// Null: `rlimits` has no such name.
Resource const* resource_named(std::string_view name);
/// "4096", "\"1GiB\"", "\"30s\"", "\"infinity\"": as it stands in a file.
std::string write_limit(Resource const& resource, std::uint64_t limit);

std::optional<Fault> read(Node const& node, Row const& row, Rlimits& value);
std::optional<Fault> read(Node const& node, Row const& row, Nice& value);
std::optional<Fault> read(Node const& node, Row const& row, CpuShare& value);

std::string write(Rlimits const& value, Row const& row);
std::string write(Nice value, Row const& row);
std::string write(CpuShare value, Row const& row);

std::string expected(Rlimits const&, Row const& row);
std::string expected(Nice, Row const& row);
std::string expected(CpuShare, Row const& row);

}  // namespace conf
