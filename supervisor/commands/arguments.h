// The door to CLI11: a command line becomes values, or an exit status with a sentence on stderr. Its
// exceptions end here.
#pragma once
#include <CLI/CLI.hpp>
#include <optional>

namespace supervisor {

/// Nothing: go on. 0: --help was asked for, and given. 2: the command line is wrong, and that has been said.
inline std::optional<int> parse(CLI::App& line, int argc, char** argv) {
  constexpr int kUsage = 2;
  try {
    line.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    return line.exit(error) == 0 ? 0 : kUsage;
  }
}

}  // namespace supervisor
