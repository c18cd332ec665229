#include "upstream/remainder.h"

#include "doctest_precompiled.h"
#include "unit/feed.h"
#include "unit/upstream/herd.h"
#include "upstream/request_writer.h"

namespace {

using namespace std::chrono_literals;
using upstream::Acquired;
using upstream::Leftover;

/// One worker with one slot, and a request that was left behind on it while another one waits.
struct Scene {
  explicit Scene(conf::AppKind kind = conf::AppKind::kCommand) {
    if (kind != conf::AppKind::kCommand) herd.app.command.clear();
    if (kind == conf::AppKind::kWsgi) herd.app.wsgi = "app:app";
    if (kind == conf::AppKind::kProxy) herd.app.proxy.emplace_back();
    speech_ = upstream::speech_of(herd.app);
    herd.dispatch->on_stuck([this](const upstream::Worker& who, const std::string& exchange, bool is_stuck) {
      told += (is_stuck ? "+" : "-") + std::to_string(who.id) + exchange;
    });
    herd.publish(1);
    REQUIRE(first.ask() == Acquired::kLeased);
    REQUIRE(first.lease.connect() != nullptr);
    worker = runtime::Fd(::accept4(herd.listeners[0].get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    REQUIRE(worker);
    REQUIRE(next.ask() == Acquired::kWaiting);
  }
  void leave(Leftover left) {
    if (left.request_timeout == 0ms) left.request_timeout = herd.app.rules.request_timeout;
    left.graceful_timeout = herd.app.graceful_timeout;
    left.reader.begin(speech_, upstream::Method::kGet, false);
    if (speech_ == upstream::Speech::kWorkerProtocol) left.reader.abandon();
    left.id = "x";
    left.lease = std::move(first.lease);
    herd.desk->leave_behind(std::move(left));
    turn();
  }
  void turn() {
    for (int i = 0; i < 3; ++i) herd.loop.turn(false);
  }
  void say(std::string_view text) {
    REQUIRE(::write(worker.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    turn();
  }
  /// What the worker can read now; "." behind it at the end of input.
  std::string heard() {
    char bytes[4096];
    std::string text;
    for (;;) {
      const ssize_t n = ::read(worker.get(), bytes, sizeof bytes);
      if (n <= 0) return n == 0 ? text + "." : text;
      text.append(bytes, static_cast<std::size_t>(n));
    }
  }
  bool slot_is_free() const { return static_cast<bool>(next.lease); }
  void wait_for(const std::function<bool()>& what) {
    while (!what()) herd.loop.turn();
  }

  upstream::Speech speech_;
  Herd herd{1};
  std::string told;
  runtime::Fd worker;
  Asker first{herd}, next{herd};
};

}  // namespace

TEST_CASE("the slot is free when the worker has answered to the end, not before") {
  Scene scene;
  scene.leave({.is_last = true});
  CHECK(scene.heard() == ".");
  CHECK_FALSE(scene.slot_is_free());
  scene.say("HTTP/1.1 200 OK\r\nContent-Le");
  scene.say("ngth: 5\r\n\r\nab");
  CHECK_FALSE(scene.slot_is_free());
  scene.say("cde");
  REQUIRE(scene.slot_is_free());
  CHECK(scene.told.empty());
}

TEST_CASE("or when it has closed the connection, or says what is no answer") {
  Scene scene;
  scene.leave({.is_last = true});
  SUBCASE("closed") {
    scene.worker.reset();
    scene.turn();
  }
  SUBCASE("nonsense") { scene.say("nonsense\r\n\r\n"); }
  CHECK(scene.slot_is_free());
}

TEST_CASE("what is to be finished is sent to its end, and then the connection may go on") {
  Scene scene;
  Leftover left;
  left.wire.append_copy("the rest");
  scene.leave(std::move(left));
  CHECK(scene.heard() == "the rest");
  scene.say("HTTP/1.1 204 No Content\r\n\r\n");
  REQUIRE(scene.slot_is_free());
  CHECK(scene.next.lease.connect()->is_reused());
}

TEST_CASE("a program that answers for ever is cut off after graceful_timeout, or when it has said enough") {
  Scene scene;
  SUBCASE("slowly") { scene.herd.app.graceful_timeout = 20ms; }
  scene.leave({.is_last = true});
  scene.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  CHECK_FALSE(scene.slot_is_free());
  SUBCASE("fast") {
    const std::string chunk = "1000\r\n" + std::string(0x1000, 'x') + "\r\n";
    for (int i = 0; i < 15; ++i) scene.say(chunk);
    CHECK_FALSE(scene.slot_is_free());
    scene.say(chunk + chunk);
  }
  scene.wait_for([&] { return scene.slot_is_free(); });
  CHECK(scene.told.empty());
}

TEST_CASE("a tunnel's bytes are nobody's any more, and it ends after graceful_timeout at the latest") {
  Scene scene;
  scene.herd.app.graceful_timeout = 20ms;
  Leftover left{.is_tunnel = true, .is_last = true};
  left.wire.append_copy("last words");
  scene.leave(std::move(left));
  CHECK(scene.heard() == "last words.");
  scene.say("any bytes");
  scene.wait_for([&] { return scene.slot_is_free(); });
}

TEST_CASE("who has not begun to answer after request_timeout is said to be stuck, and that it is not when it lets go") {
  Scene scene;
  scene.leave({.request_timeout = 10ms, .is_last = true});  // its route's; the app's is a minute
  scene.wait_for([&] { return !scene.told.empty(); });
  CHECK(scene.told == "+1x");
  CHECK_FALSE(scene.slot_is_free());
  scene.say("HTTP/1.1 204 No Content\r\n\r\n");
  CHECK(scene.told == "+1x-1x");
  CHECK(scene.slot_is_free());
}

TEST_CASE("a stuck worker that nobody can end gives its slot back after graceful_timeout") {
  Scene scene(conf::AppKind::kProxy);
  scene.herd.app.graceful_timeout = 10ms;
  scene.leave({.is_last = true, .is_stuck = true});
  CHECK(scene.told == "+1x");
  scene.wait_for([&] { return scene.slot_is_free(); });
}

TEST_CASE("our own worker is told, and says done, whether or not its answer is whole") {
  Scene scene(conf::AppKind::kWsgi);
  Leftover left;
  upstream::write_abandon(left.wire);
  scene.leave(std::move(left));
  CHECK(scene.heard() == std::string("\0\0\0\0\3\0\0\0", 8));
  SUBCASE("in the middle of its answer") {
    scene.say(std::string("\6\0\0\0\x10\0\0\0" "200 OK", 14));
    scene.say(std::string("\2\0\0\0\x11\0\0\0" "ab", 10));
    CHECK_FALSE(scene.slot_is_free());
  }
  SUBCASE("before it") {}
  scene.say(std::string("\0\0\0\0\x13\0\0\0", 8));
  REQUIRE(scene.slot_is_free());
  CHECK(scene.next.lease.connect()->is_reused());
}

TEST_CASE("a worker that goes on and on does not hold the loop") {
  Scene scene(conf::AppKind::kWsgi);
  scene.leave({});
  const std::string piece = std::string("\x50\xC3\0\0\x11\0\0\0", 8) + std::string(50'000, 'x');
  const std::string answer = std::string("\6\0\0\0\x10\0\0\0" "200 OK", 14) + piece + piece + std::string("\0\0\0\0\x13\0\0\0", 8);
  REQUIRE(::write(scene.worker.get(), answer.data(), answer.size()) == static_cast<ssize_t>(answer.size()));
  scene.herd.loop.turn(false);
  CHECK_FALSE(scene.slot_is_free());
  scene.turn();
  CHECK(scene.slot_is_free());
}
