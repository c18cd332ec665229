#include "conf/procfile.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "conf/forms.h"
#include "conf/keys.h"
#include "runtime/text.h"

namespace conf {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view kWeb = "web";
constexpr std::string_view kRelease = "release";

// A program of that name can be meant by none of these: they are the shell's own.
constexpr std::array<std::string_view, 25> kOfTheShell = {
    "exec", "cd",   "export", "set",  "unset", ".",   "source", "ulimit", "umask",
    "trap", "wait", "eval",   "if",   "then",  "for", "while",  "until",  "case",
    "do",   "done", "fi",     "esac", "!",     "{",   "}"};

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

bool is_assignment(std::string_view word) {
  std::size_t const equals = word.find('=');
  return equals != std::string_view::npos && is_bare_key(word.substr(0, equals));
}

// Walks over a shell's line and notes where its last command begins. It understands quotes and operators, and
// gives up where more would be needed.
class ShellLine {
 public:
  explicit ShellLine(std::string_view text) : text_(text) {}

  // Nothing: the shell is needed to the end.
  std::optional<std::size_t> last_command() {
    while (at_ < text_.size()) {
      if (!step()) return std::nullopt;
    }
    while (last_ < text_.size() && is_blank(text_[last_])) ++last_;
    return last_ < text_.size() ? std::optional(last_) : std::nullopt;
  }

 private:
  bool step() {
    char const c = text_[at_];
    if (c == '\\') return skip(2);
    if (c == '\'') return skip_to('\'');
    if (c == '"') return skip_double_quoted();
    if (c == '#' && (at_ == 0 || is_blank(text_[at_ - 1]))) return false;
    if (c == '|' || c == '`' || c == '(' || c == ')') return false;
    if (c == ';') return separate(1);
    if (c != '&') return skip(1);
    if (text_.substr(at_).starts_with("&&")) return separate(2);
    return (at_ > 0 && (text_[at_ - 1] == '>' || text_[at_ - 1] == '<')) && skip(1);  // 2>&1
  }

  bool separate(std::size_t bytes) {
    skip(bytes);
    last_ = at_;
    return true;
  }

  bool skip(std::size_t bytes) {
    at_ = std::min(at_ + bytes, text_.size());
    return true;
  }

  bool skip_to(char quote) {
    std::size_t const end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) return false;
    at_ = end + 1;
    return true;
  }

  bool skip_double_quoted() {
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '`' || text_.substr(at_).starts_with("$(")) return false;
      if (text_[at_] == '"') return skip(1);
      if (text_[at_] == '\\') ++at_;
    }
    return false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t last_ = 0;  // where the last command begins, as far as was walked
};

// `KEY=value exec program` is a shell's way to say it, too; then `exec` goes before the program.
std::size_t behind_assignments(std::string_view text, std::size_t at) {
  for (;;) {
    std::size_t const end = std::min(text.find_first_of(" \t", at), text.size());
    std::string_view const word = text.substr(at, end - at);
    if (!is_assignment(word) || word.find_first_of("'\"\\") != std::string_view::npos) return at;
    at = std::min(text.find_first_not_of(" \t", end), text.size());
  }
}

std::vector<std::string> shell(std::string_view command) {
  return {"sh", "-c", with_exec(command)};
}

// One line after the other; the first that is none is the answer.
class Reader {
 public:
  explicit Reader(Source const& source) : source_(source) {}

  std::expected<std::vector<ProcfileLine>, Problem> read() {
    std::string_view text = source_.text();
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    for (std::string_view const line : runtime::split(text, '\n')) {
      ++number_;
      if (std::optional<Problem> bad = take(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line))
        return std::unexpected(std::move(*bad));
    }
    if (lines_.empty()) return std::unexpected(Problem{source_.name(), 0, 0, {}, "no `name: command` in it"});
    return std::move(lines_);
  }

 private:
  std::optional<Problem> take(std::string_view line) {
    std::string_view const said = runtime::trim(line);
    if (said.empty() || said.starts_with('#')) return std::nullopt;
    if (printable(line, line.size()) != line) return problem("control bytes, or text that is not UTF-8");
    std::size_t const colon = line.find(':');
    if (colon == std::string_view::npos) return problem("expected `name: command`");
    return add(line.substr(0, colon), runtime::trim(line.substr(colon + 1)));
  }

  std::optional<Problem> add(std::string_view name, std::string_view command) {
    if (!is_app_name(name))
      return problem(
          "a name is letters, digits, `-` and `_`, begins with a letter or a digit, and has 32 at most");
    if (command.empty()) return problem(fmt::format("`{}` has no command", name));
    if (std::ranges::find(lines_, name, &ProcfileLine::name) != lines_.end())
      return problem(fmt::format("`{}` is there already", name));
    if (lines_.size() == kMostServices) return problem(fmt::format("more than {} processes", kMostServices));
    lines_.push_back({std::string(name), std::string(command), number_});
    return std::nullopt;
  }

  Problem problem(std::string sentence) const {
    return problem_at(source_.at(number_, 1), std::move(sentence));
  }

  Source const& source_;
  std::size_t number_ = 0;
  std::vector<ProcfileLine> lines_;
};

}  // namespace

std::expected<std::vector<ProcfileLine>, Problem> parse_procfile(Source const& source) {
  return Reader(source).read();
}

std::string with_exec(std::string_view command) {
  std::optional<std::size_t> const last = ShellLine(command).last_command();
  if (!last) return std::string(command);
  std::size_t const at = behind_assignments(command, *last);
  std::string_view const word = command.substr(at, command.find_first_of(" \t;", at) - at);
  if (word.empty() || std::ranges::find(kOfTheShell, word) != kOfTheShell.end()) return std::string(command);
  return fmt::format("{}exec {}", command.substr(0, at), command.substr(at));
}

App app_of_procfile(std::vector<ProcfileLine> const& lines, std::string name, std::string directory) {
  App app;
  app.name = std::move(name);
  app.directory = std::move(directory);
  for (ProcfileLine const& line : lines) {
    if (line.name == kRelease) continue;
    if (line.name == kWeb) {
      app.command = shell(line.command);
      app.env["PORT"] = "{port}";  // whether the line names it or the program reads it unasked
      continue;
    }
    Service service;
    service.name = line.name;
    service.command = shell(line.command);
    app.services.push_back(std::move(service));
  }
  return app;
}

}  // namespace conf
