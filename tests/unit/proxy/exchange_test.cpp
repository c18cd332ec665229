// Workers that are lost with an exchange, in every order in which that, and the word on how they ended, may
// come.
#include "proxy/exchange.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>

#include "doctest_precompiled.h"
#include "proxy/access_log.h"
#include "proxy/front_thread.h"
#include "proxy/websocket.h"
#include "runtime/socket.h"

namespace {

using namespace std::string_view_literals;

conf::Settings one_app(const conf::Rules& rules) {
  conf::Settings settings;
  settings.log.access.is_on = false;
  conf::App app;
  app.name = "app";
  app.command = {"true"};
  app.rules = rules;
  settings.apps.push_back(app);
  conf::settle(settings);
  return settings;
}

/// One thread of a front, turned by hand; a client at it, and an app whose workers we are.
class Play {
 public:
  explicit Play(const conf::Rules& rules = {})
      : board_(std::move(*upstream::Scoreboard::make())),
        snapshot_(std::make_shared<const proxy::Snapshot>(one_app(rules), std::vector<upstream::AppIndex>{0})),
        site_(*snapshot_, *board_),
        thread_(0, site_, snapshot_, log_, 100) {
    char name[] = "/tmp/portherd-exchange-XXXXXX";
    folder_ = ::mkdtemp(name);
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    client_ = runtime::Fd(ends[1]);
    proxy::ClientFacts facts;
    facts.peer.family = AF_UNIX;
    thread_.clients().add(proxy::Transport(runtime::Fd(ends[0])), facts);
  }
  ~Play() {
    client_.reset();
    turn();
    site_.close_disks();
    std::filesystem::remove_all(folder_);
  }

  const proxy::Site& site() const { return site_; }
  proxy::FrontThread& thread() { return thread_; }
  upstream::Dispatch& dispatch() { return *site_.dispatches[0]; }
  void publish(upstream::WorkerId id) {
    const std::string path = folder_ + "/" + std::to_string(id);
    listeners_[id] = std::move(*runtime::listen_unix(path, 0600));
    dispatch().publish({.id = id,
                        .slot = static_cast<std::uint32_t>(id),
                        .pid = 1,
                        .row = static_cast<std::uint32_t>(id),
                        .slots = static_cast<std::uint32_t>(snapshot_->settings.apps[0].concurrency),
                        .socket = path});
  }
  void ask(std::string_view bytes = "GET / HTTP/1.1\r\nHost: a\r\n\r\n") { say(client_, bytes); }
  std::string answer() {
    turn();
    return hear(client_);
  }
  /// The worker takes the connection that is made to it, and the request on it.
  runtime::Fd take(upstream::WorkerId id, std::string_view method = "GET") {
    turn();
    runtime::PeerAddress peer;
    runtime::Fd fd = runtime::accept_from(listeners_[id].get(), peer);
    REQUIRE(fd);
    REQUIRE(hear(fd).starts_with(method));
    return fd;
  }
  std::string wait_for_answer() {
    std::string text;
    while ((text = hear(client_)).empty()) thread_.loop().turn(/*wait=*/true);
    return text;
  }
  void say(const runtime::Fd& fd, std::string_view text) {
    put(fd, text);
    turn();
  }
  std::string hear(const runtime::Fd& fd) {
    std::string bytes(128UL * 1024, '\0');
    const ssize_t n = ::recv(fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return bytes;
  }
  /// It lies in the socket until the loop turns.
  static void put(const runtime::Fd& fd, std::string_view text) {
    REQUIRE(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
  }
  /// There was nothing more to hear, and never will be.
  static bool has_ended(const runtime::Fd& fd) {
    char byte = 0;
    return ::recv(fd.get(), &byte, 1, MSG_DONTWAIT) == 0;
  }
  bool has_client_ended() const { return has_ended(client_); }
  void lose(runtime::Fd& fd) {
    fd.reset();
    turn();
  }
  /// The settings in force are these from now on; who uses the earlier ones.
  std::weak_ptr<const proxy::Snapshot> go_over_to(conf::Settings settings, std::vector<upstream::AppIndex> apps) {
    std::weak_ptr<const proxy::Snapshot> before = snapshot_;
    snapshot_ = std::make_shared<const proxy::Snapshot>(std::move(settings), std::move(apps));
    site_.open(snapshot_->apps);
    site_.configure(*snapshot_);
    thread_.open_desks();
    thread_.go_over({.snapshot = snapshot_, .max_clients = 100});
    return before;
  }
  void turn() {
    for (int i = 0; i < 4; ++i) thread_.loop().turn(/*wait=*/false);
  }
  /// The same, when a clock has to bring it about.
  runtime::Fd wait_to_take(upstream::WorkerId id) {
    pollfd visitor{listeners_[id].get(), POLLIN, 0};
    while (::poll(&visitor, 1, 0) == 0) thread_.loop().turn(/*wait=*/true);
    return take(id);
  }

  /// Asked on a connection that the only worker closes just then; the second one has it then, and is lost
  /// with it, too.
  void lose_two() {
    publish(1);
    ask();
    runtime::Fd first = take(1);
    say(first, kAnswer);
    REQUIRE(answer().ends_with("ok"));
    ask();
    turn();
    REQUIRE(hear(first).starts_with("GET / "));
    lose(first);
    publish(2);
    runtime::Fd second = take(2);
    lose(second);
    REQUIRE(answer().empty());  // it waits for the word on them
  }

  static constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

  /// A tunnel to worker 1, of this protocol.
  runtime::Fd open_tunnel(const std::string& protocol = "websocket") {
    publish(1);
    ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: " + protocol + "\r\n\r\n");
    runtime::Fd worker = take(1);
    say(worker, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: " + protocol + "\r\n\r\n");
    REQUIRE(answer().starts_with("HTTP/1.1 101 "));
    return worker;
  }

 private:
  upstream::Scoreboard board_;
  proxy::SnapshotPointer snapshot_;
  proxy::Site site_;
  proxy::AccessLog log_;
  proxy::FrontThread thread_;
  std::string folder_;
  runtime::Fd client_;
  std::map<upstream::WorkerId, runtime::Fd> listeners_;
};

}  // namespace

TEST_CASE(
    "a request whose second worker was asked to end is tried again, where the first may never have had it") {
  Play play;
  play.lose_two();
  play.dispatch().ended(2, /*unexpected=*/false);
  play.turn();
  play.publish(3);
  const runtime::Fd third = play.take(3);
  play.say(third, Play::kAnswer);
  CHECK(play.answer().ends_with("ok"));
}

TEST_CASE("a word that comes too late for the decision disturbs nobody") {
  Play play;
  play.lose_two();
  const runtime::Fd again = play.wait_to_take(1);  // nobody has said how they ended: both are believed to live
  play.dispatch().ended(2, /*unexpected=*/true);
  CHECK(play.answer().empty());
  play.say(again, Play::kAnswer);
  CHECK(play.answer().ends_with("ok"));
}

TEST_CASE("total_timeout ends also a request that waits in line again") {
  conf::Rules rules;
  rules.queue_timeout = std::chrono::hours(1);
  rules.total_timeout = std::chrono::milliseconds(50);
  Play play(rules);
  play.publish(1);
  play.ask();
  runtime::Fd only = play.take(1);
  play.lose(only);
  CHECK(play.wait_for_answer().starts_with("HTTP/1.1 504 "));
}

TEST_CASE("a worker that answers is not doubted any more, also where it closes its connection each time") {
  constexpr std::string_view kLast = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
  Play play;
  play.publish(1);
  play.ask();
  runtime::Fd lost = play.take(1);
  play.lose(lost);
  play.publish(2);
  for (const upstream::WorkerId worker : {2U, 1U}) {
    runtime::Fd fd = play.wait_to_take(worker);  // the first of them behind the inquest
    play.say(fd, kLast);
    CHECK(play.answer().ends_with("ok"));
    play.ask();
  }
  lost = play.take(2);
  play.lose(lost);
  const runtime::Fd again = play.take(1);
  play.say(again, kLast);
  CHECK(play.answer().ends_with("ok"));
}

TEST_CASE("what a client has taken is on nobody's account, also while its request has not ended") {
  constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"sv;
  constexpr std::string_view kPost =
      "\0\0\6\1\4\0\0\0\1\x83\x86\x84\x41\1a"sv;  // a HEADERS frame, and a body is to follow
  const std::string body(60'000, 'x');
  conf::Rules rules;
  rules.stream_body = true;
  Play play(rules);
  play.publish(1);
  play.ask(kPreface);
  play.ask(kPost);
  const runtime::Fd worker = play.take(1, "POST");
  play.say(worker, "HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n" + body);
  std::string taken;
  while (taken.size() < body.size()) taken += play.answer();
  CHECK(play.site().buffer_memory->used() == 0);
}

TEST_CASE("an exchange goes on with the settings that it began with, and nobody keeps them beyond its end") {
  conf::Rules rules;
  rules.queue_timeout = std::chrono::hours(1);
  Play play(rules);
  play.publish(1);
  play.ask();
  const runtime::Fd worker = play.take(1);
  conf::Settings none;
  none.log.access.is_on = false;
  const auto before = play.go_over_to(none, {});
  play.turn();
  CHECK_FALSE(before.expired());
  play.say(worker, Play::kAnswer);
  CHECK(play.answer().ends_with("ok"));
  CHECK(before.expired());
  play.ask();
  CHECK(play.answer().starts_with("HTTP/1.1 404 "));
}

TEST_CASE("a request that waits in line keeps its place over a change, and is refused when its app has gone with its workers") {
  Play play;
  play.ask();
  play.turn();
  conf::Settings same = one_app({});
  same.apps[0].queue_size = 7;
  play.go_over_to(same, {0});
  CHECK(play.dispatch().figures().queue == 1);
  CHECK(play.answer().empty());
  conf::Settings none;
  none.log.access.is_on = false;
  play.go_over_to(none, {});
  CHECK(play.answer().starts_with("HTTP/1.1 503 "));
}

TEST_CASE("a worker is spoken to as its release was, whatever the settings say by now") {
  Play play;
  conf::Settings by_wsgi = one_app({});
  by_wsgi.apps[0].command.clear();
  by_wsgi.apps[0].wsgi = "app:app";
  play.go_over_to(by_wsgi, {0});
  play.publish(1);
  play.ask();
  const runtime::Fd worker = play.take(1);  // HTTP
  play.say(worker, Play::kAnswer);
  CHECK(play.answer().ends_with("ok"));
}

TEST_CASE("when its time is over, a WebSocket is closed between two frames, and its worker hears the end") {
  Play play;
  const runtime::Fd worker = play.open_tunnel();
  std::string last(proxy::kCloseForRestart);
  SUBCASE("at once, where none is under way") {}
  SUBCASE("where one is, behind it; the next one goes nowhere") {
    play.say(worker, "\x81\x05he");
    CHECK(play.answer() == "\x81\x05he");
    play.put(worker, "llo\x81\x05th");
    last.insert(0, "llo");
  }
  SUBCASE("but not twice") {
    play.say(worker, "\x88\x02\x03\xe8");
    CHECK(play.answer() == "\x88\x02\x03\xe8");
    last.clear();
  }
  bool is_drain = false;
  SUBCASE("the front's") { is_drain = true; }
  SUBCASE("the worker's") {}
  is_drain ? play.thread().end_drain() : play.thread().close_websockets(1);
  CHECK(play.answer() == last);
  CHECK(play.has_client_ended());
  CHECK(play.has_ended(worker));
  play.ask("\x88\x82....\x03\xf4");  // what it says to that finds nobody, and disturbs nobody
  CHECK(play.thread().clients().size() == 1);
}

TEST_CASE("a WebSocket whose frame does not end is cut in the end") {
  Play play;
  const runtime::Fd worker = play.open_tunnel();
  SUBCASE("for it is late") { play.say(worker, "\x81\x05he"); }
  SUBCASE("for it is none") { play.say(worker, "hello"); }
  const std::string before = play.answer();
  play.thread().close_websockets(1);
  if (before == "hello") {
    CHECK_FALSE(play.has_client_ended());  // nobody knows how to tell it: its worker will end it
    play.thread().end_drain();
  }
  while (play.thread().clients().size() > 0) play.thread().loop().turn(/*wait=*/true);
  CHECK(play.answer().empty());
  CHECK(play.has_ended(worker));
}

TEST_CASE("what is no WebSocket is cut when the drain is over, and is left alone when its worker is to end") {
  Play play;
  const runtime::Fd worker = play.open_tunnel("chat/1");
  play.say(worker, "\x81\x02hi");
  CHECK(play.answer() == "\x81\x02hi");
  play.thread().close_websockets(1);
  play.say(worker, "more");
  CHECK(play.answer() == "more");
  play.thread().end_drain();
  CHECK(play.answer().empty());
  CHECK(play.has_client_ended());
}

TEST_CASE("a worker that is to end takes only its own WebSockets with it") {
  Play play;
  const runtime::Fd worker = play.open_tunnel();
  play.thread().close_websockets(2);
  play.say(worker, "\x81\x02hi");
  CHECK(play.answer() == "\x81\x02hi");
}
