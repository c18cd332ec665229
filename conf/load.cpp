#include "conf/load.h"

// The one door to toml++, compiled in here and nowhere else; it reports by value, not by exception.
#define TOML_IMPLEMENTATION
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ENABLE_UNRELEASED_FEATURES 0
// Settings are three tables deep. More is a mistake, and toml++ walks a tree by recursion.
#define TOML_MAX_NESTED_VALUES 16
#include <dirent.h>
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "conf/reader.h"
#include "conf/source.h"

namespace conf {
namespace {

constexpr std::size_t kLongestDottedKey = 16;
constexpr std::string_view kSuffix = ".toml";

// The offset after the string that begins at `at`; a string of one line ends with its line at the latest.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  char const quote = text[at];
  std::string const three(3, quote);
  bool const is_long = text.substr(at, 3) == three;
  for (std::size_t i = at + (is_long ? 3 : 1); i < text.size(); ++i) {
    if (text[i] == '\\' && quote == '"') {
      ++i;
    } else if (is_long ? text.substr(i, 3) == three : text[i] == quote) {
      return i + (is_long ? 3 : 1);
    } else if (text[i] == '\n' && !is_long) {
      return i;
    }
  }
  return text.size();
}

// Finds `a.b.c.d...` with too many parts: toml++ limits nested values but not dotted keys, and 100,000 tables
// in one another are more than the stack of its destructor.
std::optional<std::size_t> offset_of_endless_key(std::string_view text) {
  std::size_t dots = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char const c = text[i];
    if (c == '"' || c == '\'') {
      i = end_of_string(text, i) - 1;
    } else if (c == '#') {
      i = std::min(text.find('\n', i), text.size());
      dots = 0;
    } else if (c == '.') {
      if (++dots > kLongestDottedKey) return i;
    } else if (std::string_view("=\n,[]{}").find(c) != std::string_view::npos) {
      dots = 0;
    }
  }
  return std::nullopt;
}

Node convert(toml::node const& from);

Node convert_table(toml::table const& table) {
  Node node;
  for (auto const& [key, value] : table) {
    node.entries.push_back(
        {std::string(key.str()), key.source().begin.line, key.source().begin.column, convert(value)});
  }
  return node;
}

Node convert_kind(toml::node const& from) {
  Node node;
  if (toml::table const* table = from.as_table()) return convert_table(*table);
  if (auto const* text = from.as_string()) {
    node.kind = Node::Kind::kString;
    node.text = text->get();
  } else if (auto const* number = from.as_integer()) {
    node.kind = Node::Kind::kInteger;
    node.number = number->get();
  } else if (auto const* truth = from.as_boolean()) {
    node.kind = Node::Kind::kBoolean;
    node.number = truth->get() ? 1 : 0;
  } else if (toml::array const* array = from.as_array()) {
    node.kind = Node::Kind::kList;
    for (toml::node const& item : *array) node.items.push_back(convert(item));
  } else {
    node.kind = from.is_floating_point() ? Node::Kind::kFraction : Node::Kind::kDate;
  }
  return node;
}

Node convert(toml::node const& from) {
  Node node = convert_kind(from);
  node.line = from.source().begin.line;
  node.column = from.source().begin.column;
  return node;
}

std::optional<Node> parse(Source const& source, Collected& into) {
  if (std::optional<std::size_t> const offset = offset_of_endless_key(source.text())) {
    auto const line = std::ranges::count(source.text().substr(0, *offset), '\n') + 1;
    into.add(problem_at(source.at(static_cast<std::size_t>(line), 1), "a key of too many parts"));
    return std::nullopt;
  }
  toml::parse_result const result = toml::parse(source.text());
  if (!result) {
    toml::source_position const where = result.error().source().begin;
    into.add(problem_at(source.at(where.line, where.column),
                        fmt::format("not TOML: {}", printable(result.error().description(), 300))));
    return std::nullopt;
  }
  return convert(result.table());
}

Problem problem_of_file(std::string const& path, std::string sentence) {
  return {path, 0, 0, {}, std::move(sentence)};
}

// Nothing when there is a problem, which `into` then knows.
std::optional<Source> open(std::string const& path, Collected& into) {
  runtime::Result<Source> source = Source::open(path);
  if (source) return std::move(*source);
  into.add(problem_of_file(path, source.error().text()));
  return std::nullopt;
}

// Problems were found in the order of the rows; a reader goes through the file from the top.
void sort_by_line(std::vector<Problem>& problems, std::size_t from) {
  auto const begin = problems.begin() + static_cast<std::ptrdiff_t>(from);
  std::stable_sort(begin, problems.end(), [](Problem const& a, Problem const& b) {
    return std::pair(a.line, a.column) < std::pair(b.line, b.column);
  });
}

void read_main_source(Source const& source, Collected& into) {
  std::optional<Node> const root = parse(source, into);
  if (!root) return;
  read_main(*root, source, into);
  sort_by_line(into.problems(), 0);
}

void read_app_file(std::string const& folder, std::string const& file, Collected& into) {
  std::size_t const before = into.problems().size();
  std::optional<Source> const source = open(folder + "/" + file, into);
  std::optional<Node> const root = source ? parse(*source, into) : std::nullopt;
  if (!root) return;
  read_app(*root, file.substr(0, file.size() - kSuffix.size()), source->at(1, 1), *source, into);
  sort_by_line(into.problems(), before);
}

// The names of the files of apps.d, sorted; hidden ones (an editor's) are left out.
std::vector<std::string> app_files(std::string const& folder, Collected& into) {
  std::vector<std::string> names;
  DIR* const directory = ::opendir(folder.c_str());
  if (directory == nullptr) {
    if (errno != ENOENT) {
      into.add(
          problem_of_file(folder, runtime::Error{runtime::Code::kConfig, "cannot be read", errno}.text()));
    }
    return names;
  }
  while (dirent const* const entry = ::readdir(directory)) {
    std::string name = entry->d_name;
    if (name.front() != '.' && name.ends_with(kSuffix)) names.push_back(std::move(name));
  }
  ::closedir(directory);
  std::ranges::sort(names);
  return names;
}

// The system's own configuration has its socket where a group's members may look; any other has it at hand.
std::string control_socket_for(std::string const& folder) {
  return folder == "/etc/portherd" ? "/run/portherd/control.sock" : absolute(folder, "portherd.sock");
}

}  // namespace

Loaded load(std::string const& main_file) {
  Collected collected;
  std::optional<Source> const source = open(main_file, collected);
  if (!source) return collected.finish();
  read_main_source(*source, collected);
  std::size_t const slash = main_file.rfind('/');
  std::string const apps = main_file.substr(0, slash == std::string::npos ? 0 : slash + 1) + "apps.d";
  for (std::string const& file : app_files(apps, collected)) read_app_file(apps, file, collected);
  std::string& socket = collected.settings().control.socket;
  if (socket.empty()) socket = control_socket_for(source->folder());
  return collected.finish();
}

Loaded load_text(std::string_view toml, std::string name) {
  Collected collected;
  read_main_source(Source(std::move(name), "", std::string(toml)), collected);
  return collected.finish();
}

}  // namespace conf
