#include "conf/reference.h"

#include <fmt/format.h>

#include "conf/keys.h"
#include "conf/values.h"
#include "runtime/text.h"

namespace conf {
namespace {

constexpr std::string_view kPageTop = R"(# Configuration

<!-- Made from conf/keys.h by tests/unit/conf/reference_test.cpp. Do not edit: change the row, then run
     PORTHERD_REGENERATE=1 unit_conf -->

`portherd serve` and `portherd check` read one main file (`-c FILE`, by default `/etc/portherd/portherd.toml`) and every
`apps.d/*.toml` beside it. The format is [TOML](https://toml.io). The smallest useful file:

```toml
[listen]
http = ["*:80"]

[apps.shop]
directory = "/srv/shop"
wsgi = "shop.wsgi:application"
```

- An app stands in `[apps.NAME]` of the main file, or has a file `apps.d/NAME.toml` in which the same keys stand at the top.
- Durations are text with a unit: `"500ms"`, `"30s"`, `"2m"`, `"1h"`. Sizes too: `"100B"`, `"64KiB"`, `"16MiB"`, `"1GiB"`.
- Relative paths of an app are relative to its `directory`; a relative `directory`, and all other paths, to the folder of the
  file they stand in.
- An empty string is the same as no line, where the key may be absent.
- `portherd check` prints every mistake with file, line and column; `portherd check --print` shows the effective
  configuration with the origin of each value. `examples/every-setting/portherd.toml` has all of this as one file.
- A file may have 1 MiB, a list 1000 items; there may be 256 apps with 4096 workers in all, and 126 certificates.
)";

constexpr std::string_view kExampleTop =
    R"(# Every setting with its default; what has no default stands as a comment with an example. Nobody needs such a file: it is
# here to copy lines from. Made from conf/keys.h, as docs/configuration.md is.
)";

std::string below(std::string_view table, std::string_view key) {
  return table.empty() ? std::string(key) : fmt::format("{}.{}", table, key);
}

// None of it is in force: every line that is not yet a comment becomes one.
std::string commented(std::string_view text) {
  std::string out;
  for (std::string_view const line : runtime::split(text.substr(0, text.size() - 1), '\n')) {
    out += fmt::format("{}{}\n", line.empty() || line.starts_with('#') ? "" : "# ", line);
  }
  return out;
}

// The visitor that writes one table of the page, then the tables in it.
class PageWriter {
 public:
  PageWriter(std::string table, std::string_view meaning) : table_(std::move(table)), meaning_(meaning) {}

  template <class T>
  void operator()(Row const& row, T& value) {
    if constexpr (Section<T>) {
      PageWriter writer(below(table_, row.key), row.meaning);
      visit(writer, value);
      inner_ += writer.text();
    } else if constexpr (SectionList<T>) {
      PageWriter writer(fmt::format("[{}]", below(table_, row.key)), row.meaning);
      typename T::value_type one;
      visit(writer, one);
      inner_ += writer.text();
    } else {
      std::string const standard = write(value, row);
      std::string const shown = standard.empty() ? std::string(row.unset) : fmt::format("`{}`", standard);
      rows_ += fmt::format("| `{}` | {} | {} | {} |\n", row.key, expected(value, row), shown, row.meaning);
    }
  }

  std::string text() const {
    if (rows_.empty()) return inner_;
    return fmt::format("\n## `[{}]`\n\n{}\n\n| key | value | default | meaning |\n|---|---|---|---|\n{}{}",
                       table_, meaning_, rows_, inner_);
  }

 private:
  std::string table_;
  std::string_view meaning_;  // of a Row, which is a literal
  std::string rows_;
  std::string inner_;
};

// The visitor that writes one table of the example file, then the tables in it.
class ExampleWriter {
 public:
  ExampleWriter(std::string table, std::string_view meaning, bool with_examples)
      : table_(std::move(table)), meaning_(meaning), with_examples_(with_examples) {}

  template <class T>
  void operator()(Row const& row, T& value) {
    if constexpr (Section<T>) {
      ExampleWriter writer(below(table_, row.key), row.meaning, with_examples_);
      visit(writer, value);
      inner_ += writer.text();
    } else if constexpr (SectionList<T>) {
      ExampleWriter writer(fmt::format("[{}]", below(table_, row.key)), row.meaning, with_examples_);
      typename T::value_type one;
      visit(writer, one);
      inner_ += with_examples_ ? writer.text() : commented(writer.text());
    } else {
      add(row, write(value, row));
    }
  }

  std::string text() const {
    if (rows_.empty()) return inner_;
    return fmt::format("\n# {}\n[{}]\n{}{}", meaning_, table_, rows_, inner_);
  }

 private:
  void add(Row const& row, std::string const& value) {
    rows_ += fmt::format("# {}\n", row.meaning);
    if (!value.empty()) {
      rows_ += fmt::format("{} = {}\n", row.key, value);
    } else {
      rows_ += fmt::format("# Not set: {}.\n{}{} = {}\n", row.unset, with_examples_ ? "" : "# ", row.key,
                           row.example);
    }
  }

  std::string table_;
  std::string_view meaning_;  // of a Row, which is a literal
  bool with_examples_;
  std::string rows_;
  std::string inner_;
};

constexpr std::string_view kAppMeaning = "One app: what it runs, for which hosts, and within which clocks.";

}  // namespace

std::string configuration_page() {
  Settings settings;
  PageWriter writer("", "");
  visit(writer, settings);
  App app;
  PageWriter app_writer("apps.NAME", kAppMeaning);
  visit(app_writer, app);
  return fmt::format("{}{}{}", kPageTop, writer.text(), app_writer.text());
}

std::string every_setting(bool with_examples) {
  Settings settings;
  settings.listen.http = {*parse_address("127.0.0.1:8000")};
  ExampleWriter writer("", "", with_examples);
  visit(writer, settings);
  App app;
  app.wsgi = "hello:app";
  ExampleWriter app_writer("apps.hello", kAppMeaning, with_examples);
  visit(app_writer, app);
  return fmt::format("{}{}{}", kExampleTop, writer.text(), app_writer.text());
}

}  // namespace conf
