// One thread of a front, turned by hand, with one app that answers as it is told to, soundly or not: what the
// targets of whole connections play on. It is the same for all inputs; each of them has to leave nothing
// behind.
#pragma once
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "fuzz/expect.h"
#include "proxy/access_log.h"
#include "proxy/front_thread.h"
#include "runtime/log.h"

namespace fuzz {

/// How the app behaves: an answer each time it has read something, until it has said enough.
struct Script {
  std::string_view answer;
  bool reads = true;    ///< false: it answers at once, and takes nothing
  bool closes = false;  ///< after the first answer
  /// Instead of `answer`: said one by one, once something was read.
  std::vector<std::string_view> pieces = {};
};

inline const std::vector<Script>& scripts() {
  static const std::string large =
      "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + std::string(300'000, 'x');
  static const std::vector<Script> all{
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n"},
      {"HTTP/1.1 200 OK\r\n\r\nto the end", true, true},
      {"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"},
      {large},
      {large, false},
      {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut", true, true},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", true, true},
      {"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello"},
      {"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n", false, true},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok"},
      {"", true, true},
      {""},
  };
  return all;
}

class Front {
 public:
  static Front& get() {
    static Front front;
    return front;
  }

  /// What a client that sends these pieces and then leaves has received. `half_closes`: it waits for answers
  /// first.
  std::string play(const std::vector<std::string_view>& pieces, const Script& script, bool client_reads,
                   bool half_closes) {
    received_.clear();
    script_ = script;
    begin();
    for (const std::string_view piece : pieces) {
      if (!send(piece)) break;
      step(client_reads);
    }
    for (std::size_t i = 0; i < 20 + script.pieces.size(); ++i) step(client_reads);
    if (half_closes) {
      ::shutdown(client_.get(), SHUT_WR);
      for (int i = 0; i < 10; ++i) step(true);
    }
    end();
    return received_;
  }

 private:
  Front()
      : board_(std::move(*upstream::Scoreboard::make())),
        snapshot_(std::make_shared<const proxy::Snapshot>(settings(), std::vector<upstream::AppIndex>{0})),
        site_(*snapshot_, *board_),
        thread_(0, site_, snapshot_, log_, 100) {
    runtime::log_as("front", runtime::Level::kError);
    ::signal(SIGPIPE, SIG_IGN);
    char name[] = "/tmp/portherd-fuzz-XXXXXX";
    folder_ = ::mkdtemp(name);
    site_.spool = runtime::Fd(::open(folder_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    const std::string path = folder_ + "/app.sock";
    listener_ = std::move(*runtime::listen_unix(path, 0600));
    site_.dispatches[0]->publish({.id = 1, .slot = 1, .pid = 1, .row = 1, .slots = static_cast<std::uint32_t>(snapshot_->settings.apps[0].concurrency), .socket = path});
  }
  ~Front() {
    site_.close_disks();
    std::filesystem::remove_all(folder_);
  }

  static conf::Settings settings() {
    conf::Settings settings;
    settings.log.access.is_on = false;
    settings.front.max_streams = 16;
    conf::App app;
    app.name = "app";
    app.proxy = {*conf::parse_address("unix:app.sock")};  // nobody will come in its place
    app.rules.buffer_body = 4096;
    app.rules.max_body = 1024 * 1024;
    settings.apps.push_back(app);
    conf::settle(settings);
    return settings;
  }

  void begin() {
    int ends[2];
    expect(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0,
           "there are sockets");
    client_ = runtime::Fd(ends[1]);
    proxy::ClientFacts facts;
    facts.peer.family = AF_UNIX;
    thread_.clients().add(proxy::Transport(runtime::Fd(ends[0])), facts);
  }

  bool send(std::string_view piece) {
    return ::send(client_.get(), piece.data(), piece.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(piece.size());
  }

  void step(bool client_reads) {
    thread_.loop().turn(/*wait=*/false);
    app_turn();
    if (client_reads) read_client();
  }

  void read_client() {
    static std::array<char, 65536> bytes;
    const ssize_t n = ::read(client_.get(), bytes.data(), bytes.size());
    if (n > 0 && received_.size() < 1024 * 1024) received_.append(bytes.data(), static_cast<std::size_t>(n));
  }

  void app_turn() {
    for (;;) {
      runtime::PeerAddress peer;
      runtime::Fd fd = runtime::accept_from(listener_.get(), peer);
      if (!fd) break;
      visitors_.push_back({std::move(fd)});
    }
    for (Visitor& visitor : visitors_) script_.pieces.empty() ? serve(visitor) : serve_piece(visitor);
    std::erase_if(visitors_, [](const Visitor& visitor) { return !visitor.fd; });
  }

  struct Visitor {
    runtime::Fd fd;
    bool has_asked = false;
    std::size_t said = 0;  // of Script::pieces
  };

  void serve(Visitor& visitor) {
    const ssize_t n = script_.reads ? read_visitor(visitor) : 1;
    if (n > 0) say(visitor, script_.answer);
    if (n == 0 || (n > 0 && script_.closes)) visitor.fd.reset();
  }

  void serve_piece(Visitor& visitor) {
    const ssize_t n = read_visitor(visitor);
    visitor.has_asked = visitor.has_asked || n > 0;
    if (n == 0) return visitor.fd.reset();
    if (!visitor.has_asked) return;
    if (visitor.said < script_.pieces.size()) return say(visitor, script_.pieces[visitor.said++]);
    if (script_.closes) visitor.fd.reset();
  }

  static ssize_t read_visitor(Visitor& visitor) {
    static std::array<char, 65536> bytes;
    return ::read(visitor.fd.get(), bytes.data(), bytes.size());
  }
  static void say(Visitor& visitor, std::string_view text) {
    [[maybe_unused]] const auto said = ::send(visitor.fd.get(), text.data(), text.size(), MSG_NOSIGNAL);
  }

  void end() {
    client_.reset();
    script_ = {"", true, true};
    // What is on its way to the disk comes to its end first.
    while (thread_.spool().files() > 0) step_alone(/*wait=*/true);
    for (int i = 0; i < 200 && (thread_.clients().size() > 0 || site_.dispatches[0]->figures().busy > 0); ++i)
      step_alone();
    expect(thread_.clients().size() == 0, "a client that has left is forgotten");
    expect(site_.dispatches[0]->figures().busy == 0, "a request that has ended gives its slot back");
    expect(site_.dispatches[0]->figures().queue == 0, "and its place in line");
    visitors_.clear();
    for (int i = 0; i < 3; ++i) step_alone();  // idle connections see their end
    expect(runtime::buffered_bytes() < 1024 * 1024, "no memory is left behind");
  }
  void step_alone(bool wait = false) {
    thread_.loop().turn(wait);
    app_turn();
    visitors_.clear();
  }

  upstream::Scoreboard board_;
  proxy::SnapshotPointer snapshot_;
  proxy::Site site_;
  proxy::AccessLog log_;
  proxy::FrontThread thread_;
  std::string folder_;
  runtime::Fd listener_;
  runtime::Fd client_;
  std::vector<Visitor> visitors_;  // connections to the app
  Script script_;
  std::string received_;
};

}  // namespace fuzz
