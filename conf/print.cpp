#include "conf/print.h"

#include <fmt/format.h>

#include "conf/fault.h"
#include "conf/keys.h"
#include "conf/values.h"

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

}  // namespace

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
