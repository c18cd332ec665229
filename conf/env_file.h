// Reads an `env_file`: lines of KEY=VALUE for a worker's environment. A value stands as it is, or in single
// quotes (nothing special in them) or double quotes (\n \r \t \\ \" \$ \`); quoted values may run over lines.
// `export ` may go before,
// `#` begins a comment, and nothing is expanded: $HOME stays $HOME. What is not of that form is a Problem,
// never a guess.
#pragma once
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conf/origin.h"
#include "conf/source.h"

namespace conf {

/// In the order of the file; of a name that comes twice the later value, at the place of the first.
using Environment = std::vector<std::pair<std::string, std::string>>;

std::expected<Environment, Problem> parse_env(Source const& source);

/// Opens and parses. A file that cannot be read is a Problem without a line.
std::expected<Environment, Problem> read_env_file(std::string const& path);

}  // namespace conf
