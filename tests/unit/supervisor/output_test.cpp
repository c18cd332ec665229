#include "supervisor/output.h"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>

#include "doctest_precompiled.h"
#include "runtime/log.h"

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

// The error log of this program as a pipe that the test reads.
struct LogPipe {
  LogPipe() {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    in.reset(ends[0]);
    out.reset(ends[1]);
    runtime::log_to(runtime::duplicate(out.get()));
  }
  ~LogPipe() {
    runtime::log_as("portherd", runtime::Level::kInfo);
    runtime::log_to(runtime::duplicate(STDERR_FILENO));
  }
  void fill() const {
    while (::write(out.get(), "x", 1) == 1) {
    }
  }
  std::string read() const {
    std::string text(1 << 20, '\0');
    const auto n = ::read(in.get(), text.data(), text.size());
    text.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
    return text;
  }
  runtime::Fd in, out;
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
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

TEST_CASE("what an app prints is in the log whatever the log's level is") {
  const LogPipe log;
  runtime::log_as("supervisor", runtime::Level::kError);
  OutputSink sink(/*as_is=*/false);
  sink.write("shop.1", "hello \x1b[31m");
  runtime::log(runtime::Level::kWarning, "of our own");
  const std::string text = log.read();
  CHECK(text.ends_with(" info supervisor: shop.1 | hello ?[31m\n"));
}

TEST_CASE("a log that takes no more drops what an app prints, and says afterwards how much it was") {
  const LogPipe log;
  log.fill();
  ::fcntl(log.out.get(), F_SETFL, 0);  // blocking, as stderr is
  OutputSink sink(/*as_is=*/false);
  sink.write("shop.1", "one");
  sink.write("shop.1", "two");
  CHECK_FALSE(has(log.read(), "shop.1"));
  sink.write("shop.1", "three");
  const std::string text = log.read();
  CHECK(has(text, "2 lines of output were dropped\n"));
  CHECK(text.ends_with(" | three\n"));
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

TEST_CASE("an app's lines are kept together, whichever of its workers printed them") {
  const LogPipe log;
  OutputSink sink(/*as_is=*/false);
  sink.write("shop.1", "one");
  sink.write("blog.1", "other");
  sink.write("shop.2", "two");
  const auto& lines = sink.tail("shop").lines();
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].worker == "1");
  CHECK(lines[1].worker == "2");
  CHECK(lines[1].text == "two");
  sink.forget("shop");
  CHECK(sink.tail("shop").lines().empty());
  CHECK(sink.tail("blog").lines().size() == 1);
}

TEST_CASE("no more than so many follow, of all apps together; who leaves makes room") {
  struct Deaf : Conversation {
    void say(std::string) override {}
    void offer(std::string) override {}
    void end(std::string, bool) override {}
  };
  OutputSink sink(/*as_is=*/false);
  std::vector<std::shared_ptr<Deaf>> callers;
  while (callers.size() < OutputSink::kMostFollowers) {
    CHECK(sink.has_room_for_follower());
    sink.tail(callers.size() % 2 == 0 ? "shop" : "blog").follow(Asker(callers.emplace_back(std::make_shared<Deaf>())));
  }
  CHECK_FALSE(sink.has_room_for_follower());
  callers.pop_back();
  CHECK(sink.has_room_for_follower());
}

TEST_CASE("who prints without end is read at his turn, and waits for it") {
  const LogPipe log;  // and not the screen
  runtime::Loop loop;
  OutputSink sink(/*as_is=*/false);
  int out[2], err[2];
  REQUIRE(::pipe2(out, O_CLOEXEC) == 0);
  REQUIRE(::pipe2(err, O_CLOEXEC) == 0);
  Output output(loop, sink, "shop.1", runtime::Fd(out[0]), runtime::Fd(err[0]));
  ::fcntl(out[1], F_SETFL, O_NONBLOCK);
  const std::string line(16_KiB - 1, 'x');
  const auto began = std::chrono::steady_clock::now();
  for (int printed = 0; printed < 16;) {
    if (::write(out[1], (line + "\n").data(), 16_KiB) == static_cast<ssize_t>(16_KiB)) ++printed;
    loop.turn(/*wait=*/false);
  }
  // Four of them are in the pipe, and of the rests between the others half is enough for this test.
  CHECK(std::chrono::steady_clock::now() - began >= std::chrono::milliseconds(20));
  ::close(out[1]);
  ::close(err[1]);
}
