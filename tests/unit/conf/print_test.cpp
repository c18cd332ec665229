#include "conf/print.h"

#include <doctest/doctest.h>

#include "conf/keys.h"
#include "conf/load.h"
#include "conf/reference.h"
#include "conf/values.h"

namespace {

using conf::Form;
using conf::Row;

// Gives every row another value than its default, so that a row added later is tested here too.
class Changer {
 public:
  template <class T>
  void operator()(Row const& row, T& value) {
    if constexpr (conf::Section<T>) {
      visit(*this, value);
    } else if constexpr (conf::SectionList<T>) {
      visit(*this, value.emplace_back());
      value.emplace_back();
    } else {
      T const before = value;
      change(row, value);
      CAPTURE(row.key);
      CHECK_FALSE(value == before);
    }
  }

 private:
  static void change(Row const& row, std::string& value) {
    value = row.form == Form::kUrlPath ? "/a%20b?c=\"d\""
            : row.form == Form::kLocation ? "https://example.com/%20"
            : row.form == Form::kName  ? "some-user_1"
                                       : "/a \"b\"\\c\n\t\x7fé";
  }
  static void change(Row const&, bool& value) { value = !value; }
  static void change(Row const& row, std::size_t& value) {
    value = row.least + (value == row.least + 1 ? 2 : 1);
  }
  static void change(Row const&, conf::milliseconds& value) { value += conf::milliseconds(1); }
  static void change(Row const&, conf::Count& value) { value.number = 3; }
  static void change(Row const&, conf::Workers& value) { value = {.min = 0, .max = 7}; }
  static void change(Row const&, conf::Signal& value) { value.number = SIGUSR2; }
  static void change(Row const&, std::optional<conf::Umask>& value) { value = conf::Umask{007}; }
  static void change(Row const&, std::optional<conf::Address>& value) { value = *conf::parse_address("unix:/a b"); }
  static void change(Row const&, std::optional<conf::Signal>& value) { value = conf::Signal{SIGQUIT}; }
  static void change(Row const&, conf::Rlimits& value) {
    value = {{"as", {1, conf::kNoLimit}}, {"core", {0, 0}}, {"cpu", {90, 91}}, {"nofile", {64, 64}}};
    value["as"].soft = std::uint64_t{1} << 30;
  }
  static void change(Row const&, conf::Nice& value) { value.number = -7; }
  static void change(Row const&, conf::CpuShare& value) { value.percent = 250; }
  static void change(Row const&, conf::OnAbandon& value) { value = conf::OnAbandon::kFinish; }
  template <class T>
  static void change(Row const& row, std::optional<T>& value) {
    change(row, value.emplace());
  }
  static void change(Row const&, conf::TlsVersion& value) { value = conf::TlsVersion::k13; }
  static void change(Row const&, conf::AccessFormat& value) { value = conf::AccessFormat::kCombined; }
  static void change(Row const&, conf::LogLevel& value) { value = conf::LogLevel::kError; }
  static void change(Row const&, conf::PlainHttp& value) { value = conf::PlainHttp::kRefuse; }
  static void change(Row const& row, std::vector<std::string>& value) {
    if (row.form == Form::kHost) value = {"a.example", "[::1]", "*"};
    if (row.form == Form::kUrlPath) value = {"/", "/b"};
    if (row.form == Form::kProgram) value = {"/bin/x", "", "a\nb", "{fd}"};
  }
  static void change(Row const& row, std::vector<conf::Address>& value) {
    value = {*conf::parse_address("unix:/a b")};
    if (row.form == Form::kListenAddress) value.push_back(*conf::parse_address("[::1]:80"));
  }
  static void change(Row const&, std::vector<conf::Network>& value) {
    value = {*conf::parse_network("10.0.0.0/8"), *conf::parse_network("::1")};
  }
  static void change(Row const&, std::map<std::string, std::string>& value) {
    value = {{"A", "x\"y"}, {"odd name", ""}, {"é", "\n"}};
  }
};

conf::Settings changed_settings() {
  conf::Settings settings;
  Changer changer;
  visit(changer, settings);
  conf::App app;
  app.name = "every-key_1";
  Changer app_changer;
  visit(app_changer, app);
  settings.apps.push_back(app);
  conf::settle(settings);
  return settings;
}

void check_round_trip(conf::Settings const& settings) {
  std::string const printed = conf::print(settings);
  CAPTURE(printed);
  conf::Loaded const again = conf::load_text(printed, "printed.toml");
  for (conf::Problem const& problem : again.problems) FAIL_CHECK(text(problem));
  CHECK(again.settings == settings);
}

}  // namespace

TEST_CASE("defaults, printed, are read back as the same settings") {
  check_round_trip({});
}

TEST_CASE("every single setting, changed and printed, is read back as it was") {
  check_round_trip(changed_settings());
}

TEST_CASE("a text without a folder keeps its relative paths, those of an app with a directory too") {
  conf::Loaded const loaded =
      conf::load_text("[apps.a]\ndirectory = 'x'\ncommand = ['./a']\nenv_file = 'e'\n", "f.toml");
  REQUIRE(loaded.problems.empty());
  CHECK(loaded.settings.apps.at(0).directory == "x");
  CHECK(loaded.settings.apps[0].command.at(0) == "./a");
  check_round_trip(loaded.settings);
}

TEST_CASE("an app of each kind is read back as it was") {
  conf::Loaded const loaded = conf::load_text(R"(
[listen]
https = ["*:443"]
[log]
access = "off"
[apps.a]
wsgi = "a:app"
plain_http = "serve"
[apps.b]
command = ["b", "--x"]
[apps.c]
proxy = ["unix:/c"]
)",
                                              "f.toml");
  REQUIRE(loaded.problems.empty());
  check_round_trip(loaded.settings);
}

TEST_CASE("each way to say how many workers is read back as it was") {
  for (conf::Workers const workers : {conf::Workers::fixed(1), conf::Workers::fixed(1024), conf::Workers::automatic(),
                                      conf::Workers{.min = 0, .max = 1}, conf::Workers{.min = 2, .max = 8}}) {
    conf::Settings settings;
    settings.apps = {conf::App{.name = "a", .command = {"sh"}, .workers = workers}};
    conf::settle(settings);
    check_round_trip(settings);
  }
}

TEST_CASE("the examples of the table are read without a problem and read back as they were") {
  conf::Loaded const loaded = conf::load_text(conf::every_setting(true), "every-setting");
  for (conf::Problem const& problem : loaded.problems) FAIL_CHECK(text(problem));
  check_round_trip(loaded.settings);
}

TEST_CASE("with origins each line says where its value is from") {
  conf::Loaded const loaded = conf::load_text("[front]\nthreads = 2\n[apps.a]\nwsgi = 'a:app'\n", "f.toml");
  std::string const printed = conf::print(loaded.settings, &loaded.origins);
  CHECK(printed.find("threads = 2  # f.toml:2\n") != std::string::npos);
  CHECK(printed.find("max_fields = 100  # default\n") != std::string::npos);
  CHECK(printed.find("wsgi = \"a:app\"  # f.toml:4\n") != std::string::npos);
  CHECK(printed.find("# max_connections is not set: half the descriptor limit; at most ") != std::string::npos);
  CHECK(conf::load_text(printed, "again").settings == loaded.settings);
}

TEST_CASE("each rule of a route is its own, none is the app's") {
  conf::Route route;
  Changer changer;
  visit(changer, route.own);
  conf::Settings settings;
  settings.apps = {conf::App{.name = "a", .routes = {{route}}}};
  conf::settle(settings);
  conf::Rules const& rules = settings.apps[0].routes[0].rules;
  std::vector<std::string> own, merged;
  auto write_own = [&](Row const& row, auto& value) { own.push_back(write(value, row)); };
  auto write_merged = [&](Row const& row, auto& value) { merged.push_back(write(value, row)); };
  visit_rules(write_own, route.own);
  conf::Rules copy = rules;
  visit_rules(write_merged, copy);
  CHECK(own == merged);
}

TEST_CASE("what is printed twice is the same") {
  conf::Settings const settings = changed_settings();
  std::string const printed = conf::print(settings);
  CHECK(conf::print(conf::load_text(printed, "f").settings) == printed);
}

TEST_CASE("what is not as usual, with its notes, is a file that says the same") {
  conf::Settings settings;
  settings.listen.http.push_back(*conf::parse_address("*:80"));
  settings.log.access.format = conf::AccessFormat::kCombined;
  settings.apps.push_back({.name = "shop", .wsgi = "shop:app", .threads = 1});
  settings.apps[0].services.push_back({.name = "queue", .command = {"sh"}});
  settings.apps[0].services.push_back({.name = "clock", .command = {"sh"}});
  CHECK(conf::print_changed(settings, {{"apps.shop.threads", "one at a time"}, {"front.threads", "not said"}}) ==
        "[listen]\nhttp = [\"*:80\"]\n\n[log.access]\nformat = \"combined\"\n\n"
        "[apps.shop]\nwsgi = \"shop:app\"\n# one at a time\nthreads = 1\n\n"
        "[[apps.shop.services]]\nname = \"queue\"\ncommand = [\"sh\"]\n\n"
        "[[apps.shop.services]]\nname = \"clock\"\ncommand = [\"sh\"]\n");
  CHECK(conf::print_changed({}, {}).empty());
}
