#include "conf/manual.h"

#include <fmt/format.h>

#include "conf/keys.h"
#include "conf/values.h"
#include "runtime/text.h"

namespace conf {
namespace {

std::string below(std::string_view table, std::string_view key) {
  return table.empty() ? std::string(key) : fmt::format("{}.{}", table, key);
}

// The visitor that writes one table, then the tables in it.
class ManualWriter {
 public:
  ManualWriter(std::string table, std::string_view meaning) : table_(std::move(table)), meaning_(meaning) {}

  template <class T>
  void operator()(Row const& row, T& value) {
    if constexpr (Section<T>) {
      add_inner(below(table_, row.key), row, value);
    } else if constexpr (SectionList<T>) {
      typename T::value_type one;
      add_inner(fmt::format("[{}]", below(table_, row.key)), row, one);
    } else {
      std::string const standard = write(value, row);
      add(row, expected(value, row), standard.empty() ? row.unset : std::string_view(standard));
    }
  }

  std::string text() const {
    if (rows_.empty()) return inner_;
    return fmt::format("## [{}]\n\n{}\n\n{}{}", table_, runtime::scdoc(meaning_), rows_, inner_);
  }

 private:
  template <class T>
  void add_inner(std::string table, Row const& row, T& value) {
    ManualWriter writer(std::move(table), row.meaning);
    visit(writer, value);
    inner_ += writer.text();
  }

  void add(Row const& row, std::string_view value, std::string_view standard) {
    rows_ += fmt::format("*{}* ({}; default: {})\n\t{}\n\n", runtime::scdoc(row.key), runtime::scdoc(value),
                         runtime::scdoc(standard), runtime::scdoc(row.meaning));
  }

  std::string table_;
  std::string_view meaning_;  // of a Row, which is a literal
  std::string rows_;
  std::string inner_;
};

}  // namespace

std::string settings_manual() {
  Settings settings;
  ManualWriter writer("", "");
  visit(writer, settings);
  App app;
  ManualWriter app_writer("apps.NAME",
                          "One app. In a file of apps.d the keys stand at the top, without this line.");
  visit(app_writer, app);
  return writer.text() + app_writer.text();
}

}  // namespace conf
