// One connection from its first byte to its session: what TLS has read ahead is not forgotten.
#include "proxy/client.h"

#include <sys/socket.h>

#include <algorithm>
#include <deque>

#include "doctest_precompiled.h"
#include "proxy/access_log.h"
#include "proxy/front_thread.h"
#include "unit/proxy/tls_peer.h"

namespace {

conf::Settings quiet_settings() {
  conf::Settings settings;
  settings.log.access.is_on = false;
  return settings;
}

/// One thread of a front that has no app, turned by hand, and one TLS client at it.
class Play {
 public:
  explicit Play(std::size_t more_clients = 0)
      : board_(std::move(*upstream::Scoreboard::make())),
        snapshot_(std::make_shared<const proxy::Snapshot>(quiet_settings(), std::vector<upstream::AppIndex>{})),
        site_(*snapshot_, *board_),
        thread_(0, site_, snapshot_, log_, 100),
        context_(std::move(*proxy::TlsContext::make(
            {}, tls_peer::all(tls_peer::files("a", tls_peer::make_pair({"a", "DNS:a.example"})))))),
        client_(sockets_.theirs.get()) {
    proxy::ClientFacts facts;
    facts.is_tls = true;
    facts.peer.family = AF_UNIX;
    thread_.clients().add(proxy::Transport(std::move(sockets_.ours), *context_), facts);
    while (!client_.connect()) turn();
    turn();
    for (std::size_t i = 0; i < more_clients; ++i) {
      thread_.clients().add(proxy::Transport(std::move(crowd_.emplace_back().ours), *context_), facts);
      crowd_clients_.push_back(std::make_unique<tls_peer::Client>(crowd_.back().theirs.get()));
    }
  }

  /// More clients, of whom none has said anything yet.
  void crowd_says_hello() {
    for (const auto& client : crowd_clients_) client->connect();
  }
  std::size_t crowd_answered() const {
    char byte = 0;
    return static_cast<std::size_t>(std::ranges::count_if(
        crowd_, [&byte](const auto& pair) { return ::recv(pair.theirs.get(), &byte, 1, MSG_PEEK) == 1; }));
  }

  tls_peer::Client& client() { return client_; }
  void turn() { thread_.loop().turn(/*wait=*/false); }
  std::string answer() {
    std::string came;
    for (int i = 0; i < 100; ++i) {
      turn();
      came += client_.read();
    }
    return came;
  }

 private:
  tls_peer::Sockets sockets_;
  upstream::Scoreboard board_;
  proxy::SnapshotPointer snapshot_;
  proxy::Site site_;
  proxy::AccessLog log_;
  proxy::FrontThread thread_;
  std::unique_ptr<proxy::TlsContext> context_;
  tls_peer::Client client_;
  std::deque<tls_peer::Sockets> crowd_;
  std::vector<std::unique_ptr<tls_peer::Client>> crowd_clients_;
};

}  // namespace

TEST_CASE("a head in many small records, all read from the socket at once, is read to its end") {
  Play play;
  for (const char c : std::string_view("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"))
    REQUIRE(play.client().write({&c, 1}) == 1);
  CHECK(play.answer().starts_with("HTTP/1.1 404 Not Found\r\n"));
}

TEST_CASE("requests behind each other in records of their own are all answered") {
  Play play;
  constexpr int kRequests = 20;
  for (int i = 0; i < kRequests; ++i) {
    const std::string_view request = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
    REQUIRE(play.client().write(request) == static_cast<int>(request.size()));
  }
  const std::string came = play.answer();
  int answers = 0;
  for (std::size_t at = 0; (at = came.find("HTTP/1.1 404", at)) != came.npos; ++at) ++answers;
  CHECK(answers == kRequests);
}

TEST_CASE("a turn of the loop shakes hands with a few, however many ask, and whoever is in is served between") {
  constexpr std::size_t kFew = proxy::FrontThread::kHandshakesPerTurn;
  Play play(3 * kFew);
  play.crowd_says_hello();
  std::size_t answered = 0;
  for (std::size_t turns = 1; turns <= 3; ++turns) {
    const std::string_view request = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
    REQUIRE(play.client().write(request) == static_cast<int>(request.size()));
    play.turn();
    CHECK(play.client().read().starts_with("HTTP/1.1 404 "));
    CHECK(play.crowd_answered() == answered + kFew);
    answered = play.crowd_answered();
  }
}
