// The metrics listener, turned by hand, with visitors on real sockets.
#include "proxy/metrics_listener.h"

#include <sys/socket.h>
#include <unistd.h>

#include "doctest_precompiled.h"
#include "runtime/socket.h"

namespace {

constexpr std::string_view kLong = "/long";
constexpr std::size_t kLongSize = 4'000'000;  // more than a socket holds

class Play {
 public:
  Play()
      : listener_(loop_, std::move(*runtime::listen_unix(path_, 0600)), clocks_, [](std::string_view path) {
          return path == kLong ? proxy::MetricsAnswer{200, std::string(kLongSize, 'x')}
                               : proxy::MetricsAnswer{200, "you asked for " + std::string(path), "text/test"};
        }) {}
  ~Play() { ::unlink(path_.c_str()); }

  runtime::Fd visit(std::string_view say = {}) {
    runtime::Fd fd = runtime::connect_unix(path_);
    REQUIRE(fd);
    REQUIRE(::send(fd.get(), say.data(), say.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(say.size()));
    loop_.turn(/*wait=*/false);
    return fd;
  }
  /// All that comes until the listener closes its side.
  std::string hear(const runtime::Fd& fd) {
    std::string heard;
    char bytes[65536];
    for (ssize_t n = 1; n != 0;) {
      loop_.turn(false);
      n = ::recv(fd.get(), bytes, sizeof bytes, MSG_DONTWAIT);
      if (n > 0) heard.append(bytes, static_cast<std::size_t>(n));
    }
    return heard;
  }
  std::string ask(std::string_view say) {
    const runtime::Fd fd = visit(say);
    return hear(fd);
  }

 private:
  std::string path_ = "/tmp/portherd-metrics-test-" + std::to_string(::getpid());
  runtime::Loop loop_;
  conf::Clocks clocks_;
  proxy::MetricsListener listener_;
};

std::string body_of(const std::string& answer) {
  return answer.substr(answer.find("\r\n\r\n") + 4);
}

}  // namespace

TEST_CASE("GET is answered by the path, without its query, and the connection is closed") {
  Play play;
  const std::string answer = play.ask("GET /metrics?name=x HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(answer.find("Content-Type: text/test\r\n") != answer.npos);
  CHECK(answer.find("Content-Length: 22\r\n") != answer.npos);
  CHECK(answer.find("Connection: close\r\n") != answer.npos);
  CHECK(body_of(answer) == "you asked for /metrics");
}

TEST_CASE("HEAD is answered with the same head alone") {
  Play play;
  const std::string answer = play.ask("HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(answer.find("Content-Length: 22\r\n") != answer.npos);
  CHECK(body_of(answer).empty());
}

TEST_CASE("a head that comes in pieces is read to its end") {
  Play play;
  const runtime::Fd visitor = play.visit("GET /a HT");
  for (const std::string_view piece : {"TP/1.1\r\nHo", "st: a\r\nX: ", "y\r\n\r\n"}) {
    REQUIRE(::send(visitor.get(), piece.data(), piece.size(), 0) == static_cast<ssize_t>(piece.size()));
    play.visit();
  }
  CHECK(body_of(play.hear(visitor)) == "you asked for /a");
}

TEST_CASE("other methods are refused, and so is what is not HTTP") {
  Play play;
  const std::string post = play.ask("POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
  CHECK(post.starts_with("HTTP/1.1 405 "));
  CHECK(post.find("Allow: GET, HEAD\r\n") != post.npos);
  CHECK(play.ask("what is this?\r\n\r\n").starts_with("HTTP/1.1 400 "));
  CHECK(play.ask("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n")
            .starts_with("HTTP/1.1 431 "));
}

TEST_CASE("an answer that is longer than the socket takes comes whole") {
  Play play;
  CHECK(body_of(play.ask("GET /long HTTP/1.1\r\nHost: a\r\n\r\n")).size() == kLongSize);
}

TEST_CASE("a visitor that has closed its sending side gets the whole answer, too") {
  Play play;
  const runtime::Fd visitor = play.visit("GET /long HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(::shutdown(visitor.get(), SHUT_WR) == 0);
  play.visit();
  CHECK(body_of(play.hear(visitor)).size() == kLongSize);
}

TEST_CASE("who does nothing keeps nobody out: the one that has been there longest has to go") {
  Play play;
  std::vector<runtime::Fd> silent;
  for (std::size_t i = 0; i < proxy::MetricsListener::kMostVisits; ++i) silent.push_back(play.visit());
  CHECK(body_of(play.ask("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")) == "you asked for /a");
  CHECK(play.hear(silent[0]).empty());  // closed
  char byte = 0;
  CHECK(::recv(silent.back().get(), &byte, 1, MSG_DONTWAIT) == -1);
}
