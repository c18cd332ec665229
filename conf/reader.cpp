#include "conf/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "conf/fault.h"
#include "conf/forms.h"
#include "conf/keys.h"
#include "conf/limits.h"
#include "conf/values.h"
#include "runtime/text.h"

namespace conf {
namespace {

constexpr std::string_view kApps = "apps";

std::string joined(std::string_view prefix, std::string_view key) {
  return prefix.empty() ? std::string(key) : fmt::format("{}.{}", prefix, key);
}

// Every table that has a key, by the rows: answers "it belongs in".
class Places {
 public:
  explicit Places(std::string_view wanted) : wanted_(wanted) {
    Settings settings;
    App app;
    visit(*this, settings);
    table_ = "apps.NAME";
    visit(*this, app);
  }

  template <class T>
  void operator()(Row const& row, T& value) {
    if (row.key == wanted_) found_.push_back(table_);
    if constexpr (Section<T>) {
      look_into(row.key, value);
    } else if constexpr (SectionList<T>) {
      typename T::value_type one;
      look_into(row.key, one);
    }
  }

  // Only where there is one such table, or the others are in it (an app's routes): "path" alone says nothing.
  std::optional<std::string> only() const {
    if (found_.empty() || found_.front().empty()) return std::nullopt;
    auto const is_in_first = [&](std::string const& table) { return table.starts_with(found_.front()); };
    return std::ranges::all_of(found_, is_in_first) ? std::optional(found_.front()) : std::nullopt;
  }

 private:
  template <class T>
  void look_into(std::string_view key, T& section) {
    std::string const outer = table_;
    table_ = joined(outer, key);
    visit(*this, section);
    table_ = outer;
  }

  std::string_view wanted_;
  std::string table_;
  std::vector<std::string> found_;
};

// `near` is the nearest key of its table.
std::string unknown(std::string_view key, std::optional<std::string_view> near) {
  std::string sentence = fmt::format("unknown key `{}`", printable(key));
  if (std::optional<std::string> const place = Places(key).only()) {
    return sentence + fmt::format("; it belongs in `[{}]`", *place);
  }
  return near ? sentence + fmt::format("; did you mean `{}`?", *near) : sentence;
}

// The visitor that reads: one for each table.
class TableReader {
 public:
  TableReader(Node const& table, std::string prefix, Source const& source, Collected& into)
      : table_(table), prefix_(std::move(prefix)), source_(source), into_(into) {}

  template <class T>
  void operator()(Row const& row, T& value) {
    Entry const* entry = take(row.key);
    if (entry == nullptr) return;
    if constexpr (Section<T>) {
      read_section(row, *entry, value);
    } else if constexpr (SectionList<T>) {
      read_sections(row, entry->value, value);
    } else if (std::optional<Fault> fault = read(entry->value, row, value)) {
      add(row.key, fault->line, fault->column, fmt::format("`{}` {}", row.key, fault->sentence));
    }
  }

  // The entry of a key, which is known from now on; nullptr where the table has it not.
  Entry const* take(std::string_view key) {
    known_.push_back(key);
    auto const entry = std::ranges::find(table_.entries, key, &Entry::key);
    if (entry == table_.entries.end()) return nullptr;
    note(*entry);
    return &*entry;
  }

  void refuse_unknown() {
    for (Entry const& entry : table_.entries) {
      if (std::ranges::find(known_, entry.key) != known_.end()) continue;
      std::optional<std::string_view> const near = runtime::nearest(entry.key, known_);
      add(entry.key, entry.line, entry.column, unknown(entry.key, near));
      if (near) into_.break_key(joined(prefix_, *near));  // perhaps what it was meant to be
    }
  }

  void add(std::string_view key, std::size_t line, std::size_t column, std::string sentence) {
    into_.add(joined(prefix_, key), problem_at(source_.at(line, column), std::move(sentence)));
  }

 private:
  template <class T>
  void read_section(Row const& row, Entry const& entry, T& value) {
    if constexpr (std::same_as<T, AccessLog>) {
      if (read_word(entry.value, value)) return;
    }
    if (entry.value.kind != Node::Kind::kTable) {
      std::string_view const or_a_word = std::same_as<T, AccessLog> ? ", \"off\" or \"stderr\"" : "";
      add(row.key, entry.value.line, entry.value.column,
          fmt::format("`{}` must be a table{}, not {}", row.key, or_a_word, describe(entry.value)));
      return;
    }
    read_table(entry.value, joined(prefix_, row.key), value);
  }

  // [[routes]], or routes = [{ ... }, { ... }]
  template <class T>
  void read_sections(Row const& row, Node const& list, T& value) {
    auto const is_table = [](Node const& node) { return node.kind == Node::Kind::kTable; };
    if (list.kind != Node::Kind::kList || !std::ranges::all_of(list.items, is_table)) {
      return add(row.key, list.line, list.column, fmt::format("`{}` must be tables `[[{}]]`", row.key, row.key));
    }
    if (list.items.size() > row.most) {
      return add(row.key, list.line, list.column, fmt::format("`{}` has more than {} items", row.key, row.most));
    }
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      read_table(list.items[i], fmt::format("{}[{}]", joined(prefix_, row.key), i), value.emplace_back());
    }
  }

  template <class T>
  void read_table(Node const& table, std::string prefix, T& value) {
    TableReader inner(table, std::move(prefix), source_, into_);
    visit(inner, value);
    inner.refuse_unknown();
  }

  // access = "off" and access = "stderr"
  static bool read_word(Node const& node, AccessLog& access) {
    if (node.kind != Node::Kind::kString || (node.text != "off" && node.text != "stderr")) return false;
    access.is_on = node.text != "off";
    return true;
  }

  void note(Entry const& entry) {
    std::string const key = joined(prefix_, entry.key);
    into_.add_origin(key, source_.at(entry.line, entry.column));
    for (std::size_t i = 0; i < entry.value.items.size(); ++i) {
      Node const& item = entry.value.items[i];
      into_.add_origin(fmt::format("{}[{}]", key, i), source_.at(item.line, item.column));
    }
  }

  Node const& table_;
  std::string prefix_;
  Source const& source_;
  Collected& into_;
  std::vector<std::string_view> known_;  // keys of rows visited so far
};

// The visitor that makes paths absolute against one folder.
class PathResolver {
 public:
  explicit PathResolver(std::string const& folder) : folder_(folder) {}

  template <class T>
  void operator()(Row const& row, T& value) {
    if constexpr (Section<T>) {
      visit(*this, value);
    } else if constexpr (SectionList<T>) {
      for (auto& section : value) visit(*this, section);
    } else if constexpr (std::same_as<T, std::string>) {
      if (row.form == Form::kPath && !value.empty()) value = absolute(folder_, value);
      if (row.form == Form::kProgram) resolve_program(value);
    } else if constexpr (std::same_as<T, std::vector<std::string>>) {
      if (row.form == Form::kProgram && !value.empty()) resolve_program(value.front());
    } else if constexpr (std::same_as<T, std::optional<Address>>) {
      if (value) resolve(*value);
    } else if constexpr (std::same_as<T, std::vector<Address>>) {
      std::ranges::for_each(value, [&](Address& address) { resolve(address); });
    }
  }

 private:
  // A name without a slash is looked up in PATH, as execvp() does.
  void resolve_program(std::string& program) const {
    if (program.find('/') != std::string::npos) program = absolute(folder_, program);
  }

  void resolve(Address& address) const {
    if (address.kind != Address::Kind::kUnix) return;
    address.path = absolute(folder_, address.path);
    address.text = fmt::format("unix:{}", address.path);
  }

  std::string const& folder_;
};

void read_apps(Entry const& apps, Source const& source, Collected& into) {
  if (apps.value.kind != Node::Kind::kTable) {
    into.add(std::string(kApps),
             problem_at(source.at(apps.line, apps.column), "`apps` must be tables `[apps.NAME]`"));
    return;
  }
  for (Entry const& app : apps.value.entries) {
    read_app(app.value, app.key, source.at(app.line, app.column), source, into);
  }
}

// Why there may be no app of this name here; nothing when there may.
std::optional<std::string> refusal_of_app(Node const& table, std::string const& name, Collected& into) {
  if (!is_app_name(name)) {
    return fmt::format("an app's name is up to 32 letters, digits, `-` and `_`, not {}",
                       in_quotes(printable(name)));
  }
  if (table.kind != Node::Kind::kTable) return fmt::format("`{}` must be a table `[apps.{}]`", name, name);
  auto const twin = into.origins().find(joined(kApps, name));
  if (twin != into.origins().end()) {
    return fmt::format("app `{}` is already at {}:{}", name, twin->second.file, twin->second.line);
  }
  if (into.settings().apps.size() >= kMostApps) return fmt::format("more than {} apps", kMostApps);
  return std::nullopt;
}

}  // namespace

void Collected::add(std::string key, Problem problem) {
  break_key(std::move(key));
  if (loaded_.problems.size() < kMostProblems) {
    loaded_.problems.push_back(std::move(problem));
  } else {
    ++left_out_;
  }
}

Loaded Collected::finish() {
  if (left_out_ > 0) {
    break_key("");  // enough to mend before anything can be said of what it means
    loaded_.problems.push_back(left_out(left_out_));
  }
  Settings& settings = loaded_.settings;
  for (App& app : settings.apps) {
    bool const is_chosen = loaded_.origins.contains(fmt::format("apps.{}.plain_http", app.name));
    if (!is_chosen && !settings.listen.https.empty()) app.plain_http = PlainHttp::kRedirect;
  }
  std::ranges::sort(settings.apps, {}, &App::name);
  settle(settings);
  return std::move(loaded_);
}

void read_main(Node const& root, Source const& source, Collected& into) {
  TableReader reader(root, "", source, into);
  visit(reader, into.settings());
  if (Entry const* apps = reader.take(kApps)) read_apps(*apps, source, into);
  reader.refuse_unknown();
  PathResolver against_file(source.folder());
  visit(against_file, into.settings());
}

void read_app(Node const& table, std::string const& name, Origin at, Source const& source, Collected& into) {
  if (std::optional<std::string> bad = refusal_of_app(table, name, into)) {
    into.add(joined(kApps, name), problem_at(at, std::move(*bad)));
    return;
  }
  App app;
  app.name = name;
  into.add_origin(joined(kApps, name), std::move(at));
  TableReader reader(table, joined(kApps, name), source, into);
  visit(reader, app);
  reader.refuse_unknown();
  app.directory = absolute(source.folder(), app.directory);
  if (app.directory.starts_with('/')) {  // else it is a text without a folder, whose paths stay as they are
    PathResolver against_directory(app.directory);
    visit(against_directory, app);
  }
  into.settings().apps.push_back(std::move(app));
}

}  // namespace conf
