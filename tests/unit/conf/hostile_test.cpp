// Files that no operator writes on purpose: each is a problem in words, never a crash and never a long wait.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/check.h"
#include "conf/load.h"
#include "conf/print.h"
#include "folder.h"

namespace {

std::string first_problem(std::string_view toml) {
  conf::Loaded const loaded = conf::load_text(toml, "f.toml");
  return loaded.problems.empty() ? "none" : loaded.problems.front().sentence;
}

std::string repeated(std::string_view piece, std::size_t times) {
  std::string out;
  while (times-- > 0) out += piece;
  return out;
}

std::string problem_of_file(std::string const& file) {
  conf::Loaded const loaded = conf::load(file);
  return loaded.problems.empty() ? "none" : text(loaded.problems.front());
}

}  // namespace

TEST_CASE("thousands of unknown keys are reported, the first hundred one by one") {
  std::string toml;
  for (int i = 0; i < 20'000; ++i) toml += "key" + std::to_string(i) + " = 1\n";
  conf::Loaded const loaded = conf::load_text(toml, "f.toml");
  REQUIRE(loaded.problems.size() == 101);
  CHECK(loaded.problems.front().sentence == "unknown key `key0`");
  CHECK(loaded.problems.back().sentence == "and 19900 more problems");
}

TEST_CASE("more apps than there are places are refused") {
  std::string toml;
  for (int i = 0; i < 258; ++i) toml += "[apps.a" + std::to_string(i) + "]\n";
  conf::Loaded const loaded = conf::load_text(toml, "f.toml");
  REQUIRE(loaded.problems.size() == 2);
  CHECK(loaded.problems.front().sentence == "more than 256 apps");
  CHECK(loaded.settings.apps.size() == 256);
}

TEST_CASE("a list of too many items is refused") {
  CHECK(first_problem("[listen]\nhttp = [" + repeated("'*:80',", 1001) + "]") ==
        "`http` has more than 1000 items");
}

TEST_CASE(
    "a table whose name begins with no letter is a problem, though toml++ 3.3 asserts that there is none") {
  CHECK(first_problem("[(a]\n").starts_with("not TOML: "));
  CHECK(first_problem("[[*a]]\n").starts_with("not TOML: "));
  CHECK(first_problem("[").starts_with("not TOML: "));
}

TEST_CASE(
    "a letter beyond ASCII outside of quotes is a problem, though toml++ 3.3 takes it for unreachable") {
  CHECK(first_problem("\xc3\xa9 = 1\n").starts_with("not TOML: "));
  CHECK(first_problem("n\xcf\x92\xc4\x91").starts_with("not TOML: "));
  CHECK(first_problem("[apps.\xc3\xa9]\n").starts_with("not TOML: "));
  CHECK(first_problem("[apps.a]\nenv = { '\xc3\xa9' = '\xc3\xa9' } # \xc3\xa9\n") == "none");
}

TEST_CASE("deep nesting is a problem, not the end of the stack") {
  CHECK(first_problem("a = " + repeated("[", 500'000)).starts_with("not TOML: "));
  CHECK(first_problem("a = " + repeated("{a=", 300'000)).starts_with("not TOML: "));
  CHECK(first_problem(repeated("a.", 500'000) + "a = 1") == "a key of too many parts");
  CHECK(first_problem("[" + repeated("a . ", 200'000) + "a]") == "a key of too many parts");
  CHECK(first_problem("x = {" + repeated("'a'.", 200'000) + "a = 1}") == "a key of too many parts");
  CHECK(first_problem("[a" + repeated(".a", 15) + "]\nb" + repeated(".b", 15) + " = 1") == "unknown key `a`");
}

TEST_CASE("dots in strings and comments are no nesting") {
  std::string const dots = repeated(".", 100);
  CHECK(first_problem("# " + dots + "\n[apps.a]\nenv = { A = '" + dots + "', B = \"\\\"" + dots + "\" }") ==
        "none");
  CHECK(first_problem("[apps.a]\nenv.A = '''\n" + dots + "\n'" + dots + "'''\nenv.B = \"\"\"\n" + dots +
                      "\\\"\"\"" + dots + "\"\"\"\"\n") == "none");
}

TEST_CASE("a NUL byte and bytes that are not UTF-8 are problems with a place") {
  conf::Loaded const nul = conf::load_text(std::string_view("[front]\nuser = 'a\0b'\n", 21), "f.toml");
  REQUIRE(nul.problems.size() == 1);
  CHECK(nul.problems[0].line == 2);
  CHECK(nul.problems[0].line_text.find('\0') == std::string::npos);

  conf::Loaded const latin1 = conf::load_text("[front]\nuser = 'm\xfcller'\n", "f.toml");
  REQUIRE(latin1.problems.size() == 1);
  CHECK(latin1.problems[0].line == 2);
  CHECK(latin1.problems[0].line_text == "user = 'm?ller'");
}

TEST_CASE("an escaped NUL is refused in every string") {
  CHECK(first_problem("[apps.a]\nwsgi = \"a\\u0000\"") == "`wsgi` may not hold a NUL byte");
  CHECK(first_problem("[apps.a]\ncommand = [\"a\\u0000\"]") == "`command` may not hold a NUL byte");
  CHECK(first_problem("[apps.a]\nenv = { A = \"a\\u0000\" }") == "`env` may not hold a NUL byte");
  CHECK(first_problem("[apps.a]\nenv = { \"A\\u0000\" = \"a\" }")
            .starts_with("`env` has a name that no environment"));
  CHECK(first_problem("[apps.a]\nenv = { \"A=B\" = \"a\" }")
            .starts_with("`env` has a name that no environment"));
}

TEST_CASE("escape sequences for a terminal do not come out of a message") {
  conf::Loaded const loaded = conf::load_text("\"\\u001b[2J\" = 1\n", "f.toml");
  REQUIRE(loaded.problems.size() == 1);
  CHECK(text(loaded.problems[0]).find('\x1b') == std::string::npos);
}

TEST_CASE("a very long key and a very long line are cut in the message") {
  conf::Loaded const loaded =
      conf::load_text(repeated("k", 100'000) + " = '" + repeated("v", 100'000) + "'", "f.toml");
  REQUIRE(loaded.problems.size() == 1);
  CHECK(text(loaded.problems[0]).size() < 400);
}

TEST_CASE("numbers beyond 64 bits are problems") {
  CHECK(first_problem("[front]\nmax_fields = 99999999999999999999").starts_with("not TOML: "));
  CHECK(first_problem("[front]\nmax_fields = 9223372036854775807").starts_with("`max_fields` must be"));
}

TEST_CASE("a file of more than 1 MiB is refused unread") {
  Folder const folder;
  CHECK(problem_of_file(folder.write("big.toml", repeated("# comment\n", 110'000))) ==
        (folder / "big.toml") + ": is larger than 1 MiB");
  CHECK(problem_of_file(folder.write("fits.toml", repeated("# comment\n", 100'000))) == "none");
}

TEST_CASE("a folder, a pipe and nothing at all are not files") {
  Folder const folder;
  CHECK(problem_of_file(folder.path()) == folder.path() + ": is a folder, not a file");
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(problem_of_file(folder / "pipe") == (folder / "pipe") + ": is not a regular file");
  CHECK(problem_of_file(folder / "nothing") ==
        (folder / "nothing") + ": cannot be opened: No such file or directory");
  CHECK(problem_of_file("") == "cannot be opened: No such file or directory");
}

TEST_CASE("an unreadable file is refused with the reason") {
  Folder const folder;
  std::string const file = folder.write("secret.toml", "");
  REQUIRE(::chmod(file.c_str(), 0) == 0);
  if (::geteuid() == 0) {
    MESSAGE("root reads every file; the rest needs another user");
    CHECK(problem_of_file(file) == "none");
    return;
  }
  CHECK(problem_of_file(file) == file + ": cannot be opened: Permission denied");
}

TEST_CASE("apps.d that is a file is a problem, and so is a folder NAME.toml in it") {
  Folder const folder;
  std::string const main = folder.write("portherd.toml", "");
  std::string const apps = folder.write("apps.d", "not a folder");
  CHECK(problem_of_file(main) == apps + ": cannot be read: Not a directory");

  std::filesystem::remove(apps);
  folder.write("apps.d/a.toml/x", "");
  CHECK(problem_of_file(main) == (folder / "apps.d/a.toml") + ": is a folder, not a file");
}

TEST_CASE("cutting a good file short at any byte is a problem or a smaller good file, never a crash") {
  std::string const good =
      "[apps.a]\nwsgi = \"a:b\"\nenv = { A = '1', B = \"\\u00e9\" }\nhosts = [\n 'x', # c\n]\n";
  for (std::size_t length = 0; length <= good.size(); ++length) {
    conf::Loaded const loaded = conf::load_text(std::string_view(good).substr(0, length), "f.toml");
    for (conf::Problem const& problem : loaded.problems) CHECK_FALSE(problem.sentence.empty());
    if (loaded.problems.empty()) {
      CHECK(conf::load_text(conf::print(loaded.settings), "again").settings == loaded.settings);
    }
  }
}
