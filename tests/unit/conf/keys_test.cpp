#include "conf/keys.h"

#include <doctest/doctest.h>

#include <set>

#include "conf/values.h"

namespace {

// Converts to anything: how many of them an aggregate takes is how many fields it has.
struct Anything {
  template <class T>
  operator T() const;
};

template <class T, class... Fields>
consteval std::size_t fields() {
  if constexpr (requires { T{Fields{}..., Anything{}}; }) {
    return fields<T, Fields..., Anything>();
  } else {
    return sizeof...(Fields);
  }
}

// Counts the rows of one table, and sees what each must have.
struct RowCounter {
  std::size_t rows = 0;
  std::set<std::string> keys;

  template <class T>
  void operator()(conf::Row const& row, T& value) {
    CAPTURE(row.key);
    ++rows;
    CHECK(keys.insert(std::string(row.key)).second);
    CHECK(row.meaning.ends_with('.'));
    if constexpr (!conf::Section<T> && !conf::SectionList<T>) {
      CHECK_FALSE(expected(value, row).empty());
      // What is written as nothing must be said in words, and shown by an example.
      bool const is_unset = write(value, row).empty();
      CHECK(is_unset == !row.unset.empty());
      CHECK(is_unset == !row.example.empty());
    }
  }
};

template <class T>
std::size_t rows() {
  T section;
  RowCounter counter;
  visit(counter, section);
  return counter.rows;
}

}  // namespace

TEST_CASE("no field of a settings struct is without a row in the table") {
  CHECK(rows<conf::Listen>() == fields<conf::Listen>());
  CHECK(rows<conf::Clocks>() == fields<conf::Clocks>());
  CHECK(rows<conf::Front>() == fields<conf::Front>());
  CHECK(rows<conf::Tls>() == fields<conf::Tls>());
  CHECK(rows<conf::Control>() == fields<conf::Control>());
  CHECK(rows<conf::ErrorLog>() == fields<conf::ErrorLog>());
  CHECK(rows<conf::Log>() == fields<conf::Log>());
  CHECK(rows<conf::Metrics>() == fields<conf::Metrics>());
  CHECK(rows<conf::Health>() == fields<conf::Health>());
  CHECK(rows<conf::Rules>() == fields<conf::Rules>());
  CHECK(rows<conf::OwnRules>() == fields<conf::OwnRules>());
  // Three members are no rows: its own rules, whose rows stand among the others, and what settle() makes.
  CHECK(rows<conf::Route>() + 3 == fields<conf::Route>() + rows<conf::OwnRules>());
  CHECK(rows<conf::Service>() + 1 == fields<conf::Service>());  // what stands in its env_file is noted, not written
  CHECK(rows<conf::AccessLog>() + 1 == fields<conf::AccessLog>());  // is_on is access = "off"
  // The name is the table's or the file's, what stands in the env_file is noted, and the rows of the rules stand among the others.
  CHECK(rows<conf::App>() + 3 == fields<conf::App>() + rows<conf::Rules>());
  CHECK(rows<conf::Settings>() + 1 == fields<conf::Settings>());    // apps are walked by each visitor's owner
}
