#include "supervisor/output.h"

#include <fcntl.h>
#include <unistd.h>

#include "doctest_precompiled.h"

using namespace supervisor;

namespace {

std::vector<std::string> lines_of(const std::vector<std::string>& pieces) {
  std::vector<std::string> lines;
  const auto take = [&](std::string_view line) { lines.emplace_back(line); };
  LineCutter cutter;
  for (const std::string& piece : pieces) cutter.feed(piece, take);
  cutter.finish(take);
  return lines;
}

}  // namespace

TEST_CASE("bytes become lines however they are cut into pieces") {
  CHECK(lines_of({"a\nb", "c\r\n", "\n", "d"}) == std::vector<std::string>{"a", "bc", "", "d"});
  CHECK(lines_of({}).empty());
  CHECK(lines_of({"x\n"}) == std::vector<std::string>{"x"});
}

TEST_CASE("a line of exactly the longest length is whole, a longer one is cut with a mark") {
  const std::string longest(LineCutter::kLongest, 'x');
  CHECK(lines_of({longest + "\nnext\n"}) == std::vector<std::string>{longest, "next"});
  CHECK(lines_of({longest + "y and much more\nnext\n"}) ==
        std::vector<std::string>{longest + " [cut]", "next"});
}

TEST_CASE("a line without an end is told once, and holds no memory afterwards") {
  std::vector<std::string> pieces(100, std::string(100'000, 'x'));
  pieces.emplace_back("\nnext\n");
  const std::vector<std::string> lines = lines_of(pieces);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].size() == LineCutter::kLongest + LineCutter::kMark.size());
  CHECK(lines[1] == "next");
}

TEST_CASE("control bytes do not reach a log that others read") {
  CHECK(without_controls("a\x1b[31mred\tb\x7f\x01") == "a?[31mred\tb??");
}

TEST_CASE("of a worker's output the last twenty lines are kept, from both pipes") {
  runtime::Loop loop;
  OutputSink sink(/*as_is=*/false);
  int out[2], err[2];
  REQUIRE(::pipe2(out, O_CLOEXEC) == 0);
  REQUIRE(::pipe2(err, O_CLOEXEC) == 0);
  Output output(loop, sink, "shop.1", runtime::Fd(out[0]), runtime::Fd(err[0]));
  for (int i = 1; i <= 30; ++i) {
    const std::string line = "line " + std::to_string(i) + "\n";
    REQUIRE(::write(out[1], line.data(), line.size()) > 0);
  }
  REQUIRE(::write(err[1], "the last words", 14) == 14);
  ::close(err[1]);
  output.finish();  // the other pipe is still open on the far side: nobody waits for it
  REQUIRE(output.last_lines().size() == Output::kKept);
  CHECK(output.last_lines().front() == "line 12");
  CHECK(output.last_lines().back() == "the last words");
  ::close(out[1]);
}
