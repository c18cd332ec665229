#include "conf/env_file.h"

#include <doctest/doctest.h>

#include "folder.h"

namespace {

using conf::Environment;

Environment parsed(std::string_view text) {
  auto const environment = conf::parse_env(conf::Source(".env", "", std::string(text)));
  if (!environment) FAIL_CHECK(conf::text(environment.error()));
  return environment.value_or(Environment{});
}

// "line:column sentence"
std::string problem_of(std::string_view text) {
  auto const environment = conf::parse_env(conf::Source(".env", "", std::string(text)));
  if (environment) return "none";
  conf::Problem const& problem = environment.error();
  return std::to_string(problem.line) + ":" + std::to_string(problem.column) + " " + problem.sentence;
}

}  // namespace

TEST_CASE("lines are KEY=VALUE, with comments, empty lines and export") {
  CHECK(parsed("# comment\n\nA=1\n  B = two words \nexport C=3\n\texport\tD=4 # why\n") ==
        Environment{{"A", "1"}, {"B", "two words"}, {"C", "3"}, {"D", "4"}});
  CHECK(parsed("") == Environment{});
  CHECK(parsed("A=1") == Environment{{"A", "1"}});
  CHECK(parsed("export=1\nexported=2") == Environment{{"export", "1"}, {"exported", "2"}});
}

TEST_CASE("a value may be empty, and may hold = and # and quotes inside") {
  CHECK(parsed("A=\nB=  \nC= # nothing\nD=a=b\nE=#1\nF=a#b\nG=it's\nH=x \"y\"\n") ==
        Environment{{"A", ""},
                    {"B", ""},
                    {"C", ""},
                    {"D", "a=b"},
                    {"E", ""},
                    {"F", "a#b"},
                    {"G", "it's"},
                    {"H", "x \"y\""}});
}

TEST_CASE("nothing is special in single quotes") {
  CHECK(parsed("A='a # b \\n $HOME \"'\nB=''\nC='x' # comment\n") ==
        Environment{{"A", "a # b \\n $HOME \""}, {"B", ""}, {"C", "x"}});
}

TEST_CASE("double quotes know the usual escapes") {
  CHECK(parsed(R"(A="a\nb\tc\rd\\e\"f\$g\`h # i 'j'")") ==
        Environment{{"A", "a\nb\tc\rd\\e\"f$g`h # i 'j'"}});
}

TEST_CASE("quoted values may run over lines") {
  CHECK(parsed("A='one\ntwo'\nB=\"three\nfour\"\nC=5\n") ==
        Environment{{"A", "one\ntwo"}, {"B", "three\nfour"}, {"C", "5"}});
  CHECK(problem_of("A='one\ntwo'\nB\n") == "3:1 expected KEY=VALUE");
}

TEST_CASE("nothing is expanded") {
  CHECK(parsed("A=$HOME\nB=\"${C}\"\n") == Environment{{"A", "$HOME"}, {"B", "${C}"}});
}

TEST_CASE("of a name that comes twice the later value holds") {
  CHECK(parsed("A=1\nB=2\nA=3\n") == Environment{{"A", "3"}, {"B", "2"}});
}

TEST_CASE("line ends of other systems and a byte order mark are accepted") {
  CHECK(parsed("\xef\xbb\xbf"
               "A=1\r\n\r\nB='2'\r\nC=\"3\" # x\r\n# y\r\nD=\r\nE=5\r") ==
        Environment{{"A", "1"}, {"B", "2"}, {"C", "3"}, {"D", ""}, {"E", "5"}});
}

TEST_CASE("what is not of the form is a problem at its place, not a guess") {
  CHECK(problem_of("A=1\nB") == "2:1 expected KEY=VALUE");
  CHECK(problem_of("=1") == "1:1 a name is letters, digits and `_`, and does not begin with a digit");
  CHECK(problem_of("1A=1") == "1:1 a name is letters, digits and `_`, and does not begin with a digit");
  CHECK(problem_of("A-B=1") == "1:1 a name is letters, digits and `_`, and does not begin with a digit");
  CHECK(problem_of("A B=1") == "1:1 a name is letters, digits and `_`, and does not begin with a digit");
  CHECK(problem_of("export A") == "1:8 expected KEY=VALUE");
  CHECK(problem_of("A='x") == "1:3 the single quote is not closed");
  CHECK(problem_of("A=\"x\n\n") == "1:3 the double quote is not closed");
  CHECK(
      problem_of("A=\"x\\") ==
      "1:5 in double quotes a backslash goes before n, r, t, \\, \", $ or `; in single quotes it is itself");
  CHECK(
      problem_of("A=\"1\n\\x\"") ==
      "2:1 in double quotes a backslash goes before n, r, t, \\, \", $ or `; in single quotes it is itself");
  CHECK(problem_of("A='x'y") == "1:6 nothing but a comment may follow a quoted value");
  CHECK(problem_of(std::string_view("A=1\nB=a\0b\n", 10)) == "2:1 a NUL byte; no environment can hold it");
}

TEST_CASE("very many variables are refused") {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "A" + std::to_string(i) + "=\n";
  CHECK(problem_of(text).ends_with("more than 4096 variables"));
}

TEST_CASE("a file is read from its path, or the reason is told") {
  Folder const folder;
  CHECK(conf::read_env_file(folder.write(".env", "A=1\n")).value() == Environment{{"A", "1"}});
  auto const gone = conf::read_env_file(folder / "gone");
  REQUIRE_FALSE(gone);
  CHECK(text(gone.error()) == (folder / "gone") + ": cannot be opened: No such file or directory");
}
