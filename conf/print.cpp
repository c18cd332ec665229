#include "conf/print.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "conf/fault.h"
#include "conf/keys.h"
#include "conf/values.h"
#include "runtime/text.h"

namespace conf {
namespace {

// The visitor that prints one table, then the tables in it: TOML wants a table's own keys first.
class Printer {
 public:
  Printer(std::string table, Origins const* origins)
      : table_(std::move(table)), header_(fmt::format("[{}]", table_)), origins_(origins) {}
  // One of several: "apps.shop.routes[0]" stands below [[apps.shop.routes]].
  Printer(std::string const& list, std::size_t index, Origins const* origins)
      : table_(fmt::format("{}[{}]", list, index)), header_(fmt::format("[[{}]]", list)), origins_(origins) {}

  template <class T>
  void operator()(Row const& row, T& value) {
    if constexpr (Section<T>) {
      print_section(row, value);
    } else if constexpr (SectionList<T>) {
      print_sections(row, value);
    } else {
      std::string const text = write(value, row);
      if (text.empty()) {
        own_ += fmt::format("# {} is not set: {}\n", row.key, row.unset);
      } else {
        add(row.key, text);
      }
    }
  }

  std::string text() const {
    if (table_.empty()) return inner_;
    return fmt::format("\n{}\n{}{}", header_, own_, inner_);
  }

 private:
  template <class T>
  void print_section(Row const& row, T& value) {
    if constexpr (std::same_as<T, AccessLog>) {
      if (!value.is_on) return add(row.key, in_quotes("off"));
    }
    Printer printer(key_of(row.key), origins_);
    visit(printer, value);
    inner_ += printer.text();
  }

  template <class T>
  void print_sections(Row const& row, T& value) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      Printer printer(key_of(row.key), i, origins_);
      visit(printer, value[i]);
      inner_ += printer.text();
    }
  }

  void add(std::string_view key, std::string_view text) {
    own_ += fmt::format("{} = {}{}\n", key, text, origin_of(key));
  }

  std::string key_of(std::string_view key) const {
    return table_.empty() ? std::string(key) : fmt::format("{}.{}", table_, key);
  }

  std::string origin_of(std::string_view key) const {
    if (origins_ == nullptr) return {};
    auto const found = origins_->find(key_of(key));
    if (found == origins_->end()) return "  # default";
    return fmt::format("  # {}:{}", printable(found->second.file, kLongestLine), found->second.line);
  }

  std::string table_;
  std::string header_;
  Origins const* origins_;  // may be null
  std::string own_;         // this table's own keys
  std::string inner_;       // the tables in it
};

// As many apps, routes and services, and nothing said of any.
Settings without_a_word(Settings const& settings) {
  Settings bare;
  for (App const& app : settings.apps) {
    App& same = bare.apps.emplace_back();
    same.name = app.name;
    same.routes.resize(app.routes.size());
    same.services.resize(app.services.size());
  }
  return bare;
}

// Walks over the lines of a print, with the table and, for those that are settings, the full key of each.
template <class OnLine>
void walk(std::string_view text, OnLine const& on_line) {
  std::string table, key;
  std::map<std::string, std::size_t, std::less<>> lists;
  for (std::string_view const line : runtime::split(text, '\n')) {
    bool const is_header = line.starts_with('[');
    bool const is_list = line.starts_with("[[");
    if (is_list) {
      std::string const list(line.substr(2, line.size() - 4));
      table = fmt::format("{}[{}]", list, lists[list]++);
    } else if (is_header) {
      table = line.substr(1, line.size() - 2);
    }
    if (line.empty() || line.starts_with('#')) continue;
    key = is_header ? table : fmt::format("{}.{}", table, line.substr(0, line.find(' ')));
    on_line(key, line, is_header, is_list);
  }
}

}  // namespace

std::string print_changed(Settings const& settings, Notes const& notes) {
  std::set<std::string> usual;
  walk(print(without_a_word(settings)), [&](std::string const& key, std::string_view line, bool is_header, bool) {
    if (!is_header) usual.insert(fmt::format("{} {}", key, line));
  });
  std::string text, header;
  walk(print(settings), [&](std::string const& key, std::string_view line, bool is_header, bool is_list) {
    if (is_header) header = fmt::format("{}{}\n", text.empty() && header.empty() ? "" : "\n", line);
    if (is_header ? !is_list : usual.contains(fmt::format("{} {}", key, line))) return;
    text += std::exchange(header, {});
    if (is_header) return;
    if (auto const note = notes.find(key); note != notes.end()) text += fmt::format("# {}\n", note->second);
    text += fmt::format("{}\n", line);
  });
  return text;
}

std::string print(Settings const& settings, Origins const* origins) {
  Settings copy = settings;  // the rows of conf/keys.h are visited for writing too
  Printer main("", origins);
  visit(main, copy);
  std::string text = main.text();
  for (App& app : copy.apps) {
    Printer printer(fmt::format("apps.{}", app.name), origins);
    visit(printer, app);
    text += printer.text();
  }
  return text.substr(text.find_first_not_of('\n'));
}

}  // namespace conf
