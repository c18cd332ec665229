// Where a value came from, and what is wrong there: what every message about a file points to.
#pragma once
#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace conf {

/// A place in a file. Lines and columns count from 1; columns count characters.
struct Origin {
  std::string file;
  std::size_t line = 0;
  std::size_t column = 0;
  std::string line_text;  ///< the line itself, cut after kLongestLine
};

/// By full key: "front.clocks.head", "apps.shop.command", one item of a list as "listen.http[0]", a table as
/// "apps.shop", the main file as "". What is not in here has its default.
using Origins = std::map<std::string, Origin, std::less<>>;

/// One mistake in the operator's files. `file` is empty where there is no file (settings made in code);
/// `line` is 0 where the whole file is meant.
struct Problem {
  std::string file;
  std::size_t line = 0;
  std::size_t column = 0;
  std::string line_text;
  std::string sentence;
};

/// Longer lines are cut in messages.
inline constexpr std::size_t kLongestLine = 160;

/// More would hide the first; what is left out is counted in one last problem.
inline constexpr std::size_t kMostProblems = 100;

Problem problem_at(Origin const& origin, std::string sentence);

/// The last one, where `number` more were found.
Problem left_out(std::size_t number);

/// "file:line:column: sentence", then the line and a mark below the column. No newline at the end.
std::string text(Problem const& problem);

/// Text from a file, fit for a message: cut after `most` bytes, control bytes and broken UTF-8 replaced by
/// "?".
std::string printable(std::string_view text, std::size_t most = 64);

}  // namespace conf
