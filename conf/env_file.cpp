#include "conf/env_file.h"

#include <algorithm>
#include <optional>

#include "runtime/text.h"

namespace conf {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view kExport = "export";
constexpr std::size_t kMostVariables = 4096;

bool is_name(std::string_view name) {
  auto const may_begin = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && may_begin(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return may_begin(c) || (c >= '0' && c <= '9'); });
}

// The byte that `\c` stands for in double quotes.
std::optional<char> unescaped(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case '\\':
    case '"':
    case '$':
    case '`':
      return c;
    default:
      return std::nullopt;
  }
}

class Reader {
 public:
  explicit Reader(Source const& source) : source_(source), rest_(source.text()) {
    if (rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
  }

  std::expected<Environment, Problem> read() {
    if (std::size_t const nul = rest_.find('\0'); nul != std::string_view::npos) {
      line_ += static_cast<std::size_t>(std::ranges::count(rest_.substr(0, nul), '\n'));
      return problem("a NUL byte; no environment can hold it");
    }
    while (!rest_.empty()) {
      if (std::optional<Problem> bad = read_line()) return std::unexpected(std::move(*bad));
    }
    return std::move(environment_);
  }

 private:
  std::optional<Problem> read_line() {
    skip_blanks();
    if (is_at_end_of_line()) return end_line();
    if (rest_.starts_with(kExport) && rest_.substr(kExport.size()).find_first_of(" \t") == 0) {
      rest_.remove_prefix(kExport.size());
      skip_blanks();
    }
    std::size_t const equals = rest_.find_first_of("=\n");
    if (equals == std::string_view::npos || rest_[equals] != '=') return problem_here("expected KEY=VALUE");
    std::string_view const name = runtime::trim(rest_.substr(0, equals));
    if (!is_name(name))
      return problem_here("a name is letters, digits and `_`, and does not begin with a digit");
    rest_.remove_prefix(equals + 1);
    skip_blanks();
    std::string value;
    if (std::optional<Problem> bad = read_value(value)) return bad;
    set(name, std::move(value));
    if (environment_.size() > kMostVariables) return problem_here("more than 4096 variables");
    return end_line();
  }

  std::optional<Problem> read_value(std::string& value) {
    if (rest_.starts_with('\'')) return read_single_quoted(value);
    if (rest_.starts_with('"')) return read_double_quoted(value);
    std::string_view const line = rest_.substr(0, rest_.find('\n'));
    std::size_t end = 0;
    // As in a shell, `#` begins a comment only after a blank: a colour or a password may have one inside.
    while (end < line.size() &&
           !(line[end] == '#' && (end == 0 || line[end - 1] == ' ' || line[end - 1] == '\t')))
      ++end;
    std::string_view plain = line.substr(0, end);
    if (plain.ends_with('\r')) plain.remove_suffix(1);
    value = runtime::trim(plain);
    rest_.remove_prefix(end);
    return std::nullopt;
  }

  std::optional<Problem> read_single_quoted(std::string& value) {
    std::size_t const end = rest_.find('\'', 1);
    if (end == std::string_view::npos) return problem_here("the single quote is not closed");
    value = rest_.substr(1, end - 1);
    step_over(end + 1);
    return std::nullopt;
  }

  std::optional<Problem> read_double_quoted(std::string& value) {
    std::size_t at = 1;
    for (; at < rest_.size() && rest_[at] != '"'; ++at) {
      if (rest_[at] != '\\') {
        value += rest_[at];
        continue;
      }
      std::optional<char> const c = at + 1 < rest_.size() ? unescaped(rest_[at + 1]) : std::nullopt;
      if (!c) return escape_problem(at);
      value += *c;
      ++at;
    }
    if (at >= rest_.size()) return problem_here("the double quote is not closed");
    step_over(at + 1);
    return std::nullopt;
  }

  std::optional<Problem> escape_problem(std::size_t at) {
    step_over(at);
    return problem_here(
        "in double quotes a backslash goes before n, r, t, \\, \", $ or `; in single quotes it is itself");
  }

  // After a value: blanks, a comment, the end of the line.
  std::optional<Problem> end_line() {
    skip_blanks();
    if (!is_at_end_of_line()) return problem_here("nothing but a comment may follow a quoted value");
    step_over(std::min(rest_.find('\n'), rest_.size() - 1) + 1);
    return std::nullopt;
  }

  bool is_at_end_of_line() const {
    return rest_.empty() || rest_.front() == '#' || rest_.front() == '\n' || rest_.starts_with("\r\n") ||
           rest_ == "\r";
  }

  void skip_blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size())); }

  void step_over(std::size_t bytes) {
    line_ += static_cast<std::size_t>(std::ranges::count(rest_.substr(0, bytes), '\n'));
    rest_.remove_prefix(bytes);
  }

  void set(std::string_view name, std::string value) {
    auto const found = std::ranges::find(environment_, name, &Environment::value_type::first);
    if (found != environment_.end()) {
      found->second = std::move(value);
    } else {
      environment_.emplace_back(name, std::move(value));
    }
  }

  Problem problem_here(std::string sentence) const {
    std::string_view const before = source_.text().substr(0, source_.text().size() - rest_.size());
    std::size_t const line_start = before.rfind('\n') + 1;  // npos + 1 is 0
    return problem_at(source_.at(line_, before.size() - line_start + 1), std::move(sentence));
  }

  std::unexpected<Problem> problem(std::string sentence) const {
    return std::unexpected(problem_at(source_.at(line_, 1), std::move(sentence)));
  }

  Source const& source_;
  std::string_view rest_;  // of source_
  std::size_t line_ = 1;
  Environment environment_;
};

}  // namespace

std::expected<Environment, Problem> parse_env(Source const& source) {
  return Reader(source).read();
}

std::expected<Environment, Problem> read_env_file(std::string const& path) {
  runtime::Result<Source> const source = Source::open(path);
  if (!source) return std::unexpected(Problem{path, 0, 0, {}, source.error().text()});
  return parse_env(*source);
}

}  // namespace conf
