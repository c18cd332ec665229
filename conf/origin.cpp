#include "conf/origin.h"

#include <fmt/format.h>

#include <algorithm>

namespace conf {
namespace {

// Bytes of the well-formed UTF-8 sequence (RFC 3629) at the beginning of `text`; 0 where there is none.
std::size_t sequence_length(std::string_view text) {
  unsigned const first = static_cast<unsigned char>(text.front());
  std::size_t const length = first < 0x80   ? 1
                             : first < 0xc2 ? 0
                             : first < 0xe0 ? 2
                             : first < 0xf0 ? 3
                             : first < 0xf5 ? 4
                                            : 0;
  if (length > text.size()) return 0;
  for (char c : text.substr(1, length == 0 ? 0 : length - 1)) {
    if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) return 0;
  }
  return length;
}

bool is_control(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
}

// Spaces up to `column`, with the line's own tabs, so that the mark stands below the character it means.
std::string indent_like(std::string_view line, std::size_t column) {
  std::string indent;
  for (char c : line) {
    if (indent.size() + 1 >= column) break;
    if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) indent += c == '\t' ? '\t' : ' ';
  }
  return indent;
}

}  // namespace

Problem problem_at(Origin const& origin, std::string sentence) {
  return Problem{origin.file, origin.line, origin.column, origin.line_text, std::move(sentence)};
}

Problem left_out(std::size_t number) {
  return {{}, 0, 0, {}, fmt::format("and {} more problems", number)};
}

std::string text(Problem const& problem) {
  if (problem.file.empty()) return problem.sentence;
  if (problem.line == 0) return fmt::format("{}: {}", problem.file, problem.sentence);
  std::string out = fmt::format("{}:{}:{}: {}", problem.file, problem.line, problem.column, problem.sentence);
  if (problem.line_text.empty()) return out;
  out += fmt::format("\n    {}", problem.line_text);
  if (problem.column == 0 || problem.column > kLongestLine) return out;
  return out + fmt::format("\n    {}^", indent_like(problem.line_text, problem.column));
}

std::string printable(std::string_view text, std::size_t most) {
  std::string out;
  while (!text.empty()) {
    std::size_t const length = sequence_length(text);
    if (out.size() + std::max<std::size_t>(length, 1) > most) return out + "…";
    if (length == 0 || is_control(text.front())) {
      out += '?';
      text.remove_prefix(1);
    } else {
      out += text.substr(0, length);
      text.remove_prefix(length);
    }
  }
  return out;
}

}  // namespace conf
