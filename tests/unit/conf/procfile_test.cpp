#include "conf/procfile.h"

#include <doctest/doctest.h>

namespace {

std::string read(std::string_view text) {
  auto const lines = conf::parse_procfile(conf::Source("Procfile", "", std::string(text)));
  if (!lines) return std::to_string(lines.error().line) + " " + lines.error().sentence;
  std::string all;
  for (auto const& line : *lines)
    all += std::to_string(line.line) + " " + line.name + "=" + line.command + ";";
  return all;
}

}  // namespace

TEST_CASE("a Procfile is lines of name and command") {
  CHECK(read("web: a b\n# c\n\n  # d\nwork-er_2:c: d\r\n") == "1 web=a b;5 work-er_2=c: d;");
  CHECK(read("\xef\xbb\xbfweb:\ta\tb") == "1 web=a\tb;");
  CHECK(read("") == "0 no `name: command` in it");
  CHECK(read("\nweb python") == "2 expected `name: command`");
  CHECK(read("web:  ") == "1 `web` has no command");
  CHECK(read("web: a\nweb: b") == "2 `web` is there already");
  CHECK(read("my web: a").starts_with("1 a name is letters"));
  CHECK(read("-x: a").starts_with("1 a name is letters"));
  CHECK(read("web: a\x01").starts_with("1 control bytes"));
  CHECK(read(std::string_view("web: a\0b", 8)).starts_with("1 control bytes"));
  CHECK(read("web: caf\xe9").starts_with("1 control bytes, or text that is not UTF-8"));
  std::string many;
  for (int i = 0; i < 101; ++i) many += "p" + std::to_string(i) + ": x\n";
  CHECK(read(many) == "101 more than 100 processes");
}

TEST_CASE("the shell makes way for its last command, where that is all that is left for it to do") {
  CHECK(conf::with_exec("node server.js") == "exec node server.js");
  CHECK(conf::with_exec("a && b; c 'x; y'") == "a && b; exec c 'x; y'");
  CHECK(conf::with_exec("A=1 B=2 serve $PORT 2>&1") == "A=1 B=2 exec serve $PORT 2>&1");
  CHECK(conf::with_exec("a \"b; $X\" c\\;d") == "exec a \"b; $X\" c\\;d");
  for (std::string const line :
       {"a | b", "a || b", "a &", "(a)", "cd x", "exec a", "while true; do a; done", "A=1", "a;", "a `b; c`",
        "a \"$(b; c)\"", "a 'b", "a \"b", "a # b", "if a; then b; fi", "{ a; }", "$(a; b)"}) {
    CAPTURE(line);
    CHECK(conf::with_exec(line) == line);
  }
}

TEST_CASE("web is the app, release is nobody, the others are services") {
  auto const app =
      conf::app_of_procfile({{"release", "m", 1}, {"web", "a", 2}, {"work", "b | c", 3}}, "shop", "/srv");
  CHECK(app.name == "shop");
  CHECK(app.command == std::vector<std::string>{"sh", "-c", "exec a"});
  CHECK(app.env.at("PORT") == "{port}");
  REQUIRE(app.services.size() == 1);
  CHECK(app.services[0].name == "work");
  CHECK(app.services[0].command == std::vector<std::string>{"sh", "-c", "b | c"});
}
