// Which client makes room: the one that has been idle for longest.
#include "proxy/client_list.h"

#include <sys/socket.h>

#include <deque>

#include "doctest_precompiled.h"
#include "proxy/access_log.h"
#include "proxy/front_thread.h"
#include "proxy/tls_context.h"
#include "unit/proxy/tls_peer.h"

namespace {

using namespace std::string_view_literals;

conf::Settings quiet_settings() {
  conf::Settings settings;
  settings.log.access.is_on = false;
  return settings;
}

constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
constexpr std::string_view kHello = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"sv;

/// One thread of a front that has no app, turned by hand, and clients at it, numbered as they came.
class Play {
 public:
  explicit Play(std::size_t clients, runtime::Bytes most_memory = 1UL << 50)
      : board_(std::move(*upstream::Scoreboard::make())),
        snapshot_(std::make_shared<const proxy::Snapshot>(quiet_settings(), std::vector<upstream::AppIndex>{})),
        site_(*snapshot_, *board_),
        thread_(0, site_, snapshot_, log_, 100, most_memory) {
    proxy::ClientFacts facts;
    facts.peer.family = AF_UNIX;
    for (std::size_t i = 0; i < clients; ++i) {
      thread_.clients().add(proxy::Transport(std::move(clients_.emplace_back().ours)), facts);
    }
  }

  /// It lies in the socket.
  void send(std::size_t client, std::string_view bytes) {
    REQUIRE(::send(clients_[client].theirs.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
  }
  /// And has been read, and answered if it was a request.
  void say(std::size_t client, std::string_view bytes) {
    send(client, bytes);
    turn();
  }
  /// Which one makes room; closed when we ask, and not before.
  std::size_t next_to_go() {
    const std::size_t before = thread_.clients().size();
    thread_.clients().close_idlest();
    turn();
    REQUIRE(thread_.clients().size() == before - 1);
    std::size_t i = 0;
    while (i < clients_.size() && !(clients_[i].theirs && is_closed(clients_[i].theirs.get()))) ++i;
    clients_[i].theirs.reset();
    return i;
  }
  proxy::ClientList& list() { return thread_.clients(); }
  proxy::FrontThread& thread() { return thread_; }

 private:
  void turn() {
    for (int i = 0; i < 3; ++i) thread_.loop().turn(/*wait=*/false);
  }
  /// What was said before is read.
  static bool is_closed(int fd) {
    char said[1024];
    ssize_t n = 0;
    while ((n = ::recv(fd, said, sizeof said, MSG_DONTWAIT)) > 0) {
    }
    return n == 0 || errno != EAGAIN;
  }

  upstream::Scoreboard board_;
  proxy::SnapshotPointer snapshot_;
  proxy::Site site_;
  proxy::AccessLog log_;
  proxy::FrontThread thread_;
  std::deque<tls_peer::Sockets> clients_;
};

}  // namespace

TEST_CASE("who has said nothing is idle since it came") {
  Play play(3);
  CHECK(play.next_to_go() == 0);
  CHECK(play.next_to_go() == 1);
  CHECK(play.next_to_go() == 2);
  CHECK_FALSE(play.list().has_idle());
  play.list().close_idlest();  // nobody there: nothing happens
}

TEST_CASE("who has been answered is idle since then") {
  Play play(3);
  play.say(0, kRequest);
  play.say(1, kRequest);
  play.say(0, kRequest);
  CHECK(play.next_to_go() == 2);
  CHECK(play.next_to_go() == 1);
  CHECK(play.next_to_go() == 0);
}

TEST_CASE("the first byte of a head counts, those that follow do not") {
  Play play(3);
  play.say(0, "G");
  play.say(1, "G");
  play.say(0, "ET / HT");
  CHECK(play.next_to_go() == 2);
  CHECK(play.next_to_go() == 0);
  CHECK(play.next_to_go() == 1);
}

TEST_CASE("so it is in HTTP/2, where a PING counts for nothing, either") {
  Play play(3);
  for (std::size_t i : {0, 1, 2}) play.say(i, kHello);
  play.say(0, "\0\0\1\1\0\0\0\0\1\x82"sv);  // HEADERS without END_HEADERS
  play.say(1, "\0\0\1\1\0\0\0\0\1\x82"sv);
  play.say(0, "\0\0\1\x9\0\0\0\0\1\x86"sv);  // CONTINUATION without it
  play.say(2, "\0\0\x8\6\0\0\0\0\0 a PING "sv);
  CHECK(play.next_to_go() == 2);
  CHECK(play.next_to_go() == 0);
  CHECK(play.next_to_go() == 1);
}

TEST_CASE("one whose request lies unread is spared, as long as there is another") {
  Play play(2);
  play.send(0, kRequest);
  play.list().close_idlest();
  play.say(0, "");
  CHECK(play.list().size() == 1);
  play.send(0, kRequest);
  play.list().close_idlest();
  CHECK(play.list().size() == 0);
}

TEST_CASE("while the process has more memory than it should, a few of the idlest go, time after time") {
  Play play(40, /*most_memory=*/1);
  play.thread().relieve_memory();
  CHECK(play.list().size() == 37);
  for (int i = 0; i < 40; ++i) play.thread().relieve_memory();
  CHECK(play.list().size() == 0);
}

TEST_CASE("while it has less than that, nobody goes") {
  Play play(40);
  play.thread().relieve_memory();
  CHECK(play.list().size() == 40);
}
