#include "runtime/loop.h"

#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "doctest_precompiled.h"

namespace {

using namespace std::chrono_literals;
using runtime::bind;
using runtime::Deferred;
using runtime::Loop;
using runtime::Timer;

struct Recorder {
  void a() { said += 'a'; }
  void b() { said += 'b'; }
  std::string said;
};

}  // namespace

TEST_CASE("deferred calls run once at the end of the turn, in the order they were asked for") {
  Loop loop;
  Recorder recorder;
  Deferred a(loop, bind<&Recorder::a>(&recorder)), b(loop, bind<&Recorder::b>(&recorder));
  b.schedule();
  a.schedule();
  b.schedule();
  loop.turn(false);
  CHECK(recorder.said == "ba");
  loop.turn(false);
  CHECK(recorder.said == "ba");
}

TEST_CASE("a deferred call that is destroyed is not run, wherever it stood") {
  Loop loop;
  Recorder recorder;
  Deferred first(loop, bind<&Recorder::a>(&recorder));
  auto second = std::make_unique<Deferred>(loop, bind<&Recorder::b>(&recorder));
  first.schedule();
  second->schedule();
  second.reset();
  Deferred third(loop, bind<&Recorder::b>(&recorder));
  third.schedule();
  loop.turn(false);
  CHECK(recorder.said == "ab");
}

TEST_CASE("both clocks stand still within a turn, and go on with the next") {
  Loop loop;
  const runtime::Time now = loop.now();
  const runtime::WallTime wall_now = loop.wall_now();
  while (runtime::Clock::now() == now || std::chrono::system_clock::now() == wall_now) {
  }
  CHECK(loop.now() == now);
  CHECK(loop.wall_now() == wall_now);
  loop.turn(false);
  CHECK(loop.now() > now);
  CHECK(loop.wall_now() > wall_now);
}

TEST_CASE("a timer that is pushed back rings once, at the later time") {
  Loop loop;
  struct Bell {
    void ring() { rung_at = runtime::Clock::now(); }
    runtime::Time rung_at{};
  } bell;
  Timer timer(loop, bind<&Bell::ring>(&bell));
  const runtime::Time start = loop.now();
  timer.arm_at(start + 1ms);
  timer.arm_at(start + 20ms);
  while (bell.rung_at == runtime::Time{}) loop.turn();
  CHECK(bell.rung_at >= start + 20ms);
  CHECK(!timer.is_armed());
}

TEST_CASE("a cancelled timer does not ring, and can be armed again") {
  Loop loop;
  Recorder recorder;
  Timer cancelled(loop, bind<&Recorder::a>(&recorder)), other(loop, bind<&Recorder::b>(&recorder));
  cancelled.arm(0ms);
  cancelled.cancel();
  other.arm(1ms);
  while (recorder.said.empty()) loop.turn();
  CHECK(recorder.said == "b");
  cancelled.arm(0ms);
  while (recorder.said.size() < 2) loop.turn();
  CHECK(recorder.said == "ba");
}

TEST_CASE("a watch tells readiness until its interest ends") {
  Loop loop;
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  const runtime::Fd mine(ends[0]), theirs(ends[1]);
  Recorder recorder;
  runtime::IoWatch watch(loop, mine.get(), bind<&Recorder::a>(&recorder), bind<&Recorder::b>(&recorder));
  watch.want_read(true);
  REQUIRE(::write(theirs.get(), "x", 1) == 1);
  loop.turn();
  CHECK(recorder.said == "a");
  watch.want_read(false);
  watch.want_write(true);
  loop.turn();
  CHECK(recorder.said == "ab");
}

TEST_CASE("what other threads post runs on the loop's thread, in order") {
  Loop loop;
  std::string said;
  const auto here = std::this_thread::get_id();
  std::thread other([&] {
    loop.post([&] { said += std::this_thread::get_id() == here ? "1" : "x"; });
    loop.post([&] { said += "2"; });
    loop.stop();
  });
  loop.run();
  other.join();
  CHECK(said == "12");
}

TEST_CASE("what is buried is destroyed at the end of the turn, and may bury more") {
  Loop loop;
  static int alive = 0;
  struct Body {
    Body(Loop& l, bool parent) : loop(l), is_parent(parent) { ++alive; }
    ~Body() {
      --alive;
      if (is_parent) loop.bury(std::make_unique<Body>(loop, false));
    }
    Loop& loop;
    bool is_parent;
  };
  loop.bury(std::make_unique<Body>(loop, true));
  CHECK(alive == 1);
  loop.turn(false);
  CHECK(alive == 0);
}
