// Files as answers, seen from one thread of a front that is turned by hand: how many are open, and that
// nobody is forgotten whose client leaves. What the answers are is tests/behaviour's.
#include "proxy/file_answer.h"

#include <sys/socket.h>
#include <unistd.h>

#include "doctest_precompiled.h"
#include "proxy/access_log.h"
#include "proxy/front_thread.h"
#include "unit/conf/folder.h"

namespace {

conf::Settings settings_for(const std::string& folder) {
  conf::Settings settings;
  settings.log.access.is_on = false;
  conf::App app;
  app.name = "site";
  app.routes.push_back({.path = "/", .files = folder});
  settings.apps.push_back(std::move(app));
  return settings;
}

class Play {
 public:
  explicit Play(const Folder& folder)
      : board_(std::move(*upstream::Scoreboard::make())),
        snapshot_(std::make_shared<const proxy::Snapshot>(settings_for(folder.path()), std::vector<upstream::AppIndex>{0})),
        site_(*snapshot_, *board_),
        thread_(0, site_, snapshot_, log_, 100) {}
  ~Play() { site_.close_disks(); }

  /// Our end of a new connection.
  runtime::Fd connect() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    proxy::ClientFacts facts;
    facts.peer.family = AF_UNIX;
    thread_.clients().add(proxy::Transport(runtime::Fd(ends[0])), facts);
    return runtime::Fd(ends[1]);
  }
  void ask(const runtime::Fd& client, const std::string& path) {
    const std::string text = "GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n";
    REQUIRE(::write(client.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  /// Turns until something came.
  std::string read(const runtime::Fd& client) {
    std::string came(100'000, '\0');
    for (;;) {
      const ssize_t n = ::read(client.get(), came.data(), came.size());
      if (n >= 0) return came.substr(0, static_cast<std::size_t>(n));
      thread_.loop().turn();
    }
  }
  template <class Condition>
  void turn_until(Condition it_is_so) {
    while (!it_is_so()) thread_.loop().turn();
  }
  proxy::FrontThread& thread() { return thread_; }
  const proxy::Site& site() const { return site_; }

 private:
  upstream::Scoreboard board_;
  proxy::SnapshotPointer snapshot_;
  proxy::Site site_;
  proxy::AccessLog log_;
  proxy::FrontThread thread_;
};

const std::string kBig(2'000'000, 'x');  // more than a socket takes

}  // namespace

TEST_CASE(
    "a file that fits is closed before the client has it, a bigger one stays open for a client that takes "
    "its time") {
  const Folder folder;
  folder.write("small", "hello");
  folder.write("big", kBig);
  Play play(folder);
  const runtime::Fd small = play.connect(), big = play.connect();
  play.ask(small, "/small");
  CHECK(play.read(small).ends_with("hello"));
  CHECK(play.thread().open_files() == 0);
  play.ask(big, "/big");
  std::string came = play.read(big);
  CHECK(play.thread().open_files() == 1);
  std::size_t size = came.size() - came.find("\r\n\r\n") - 4;
  while (size < kBig.size()) size += play.read(big).size();
  CHECK(size == kBig.size());
  CHECK(play.thread().open_files() == 0);
}

TEST_CASE("where too many files are open the next one is a 503, and what is open goes on") {
  const Folder folder;
  folder.write("big", kBig);
  Play play(folder);
  const runtime::Fd slow = play.connect(), late = play.connect();
  play.ask(slow, "/big");
  CHECK(play.read(slow).starts_with("HTTP/1.1 200 "));
  play.thread().open_files() += play.site().max_files - 1;
  play.ask(late, "/big");
  const std::string refused = play.read(late);
  CHECK(refused.starts_with("HTTP/1.1 503 "));
  CHECK(refused.find("\r\nRetry-After: 1\r\n") != refused.npos);
  CHECK_FALSE(play.read(slow).empty());
  play.thread().open_files() -= play.site().max_files - 1;
  play.ask(late, "/big");
  CHECK(play.read(late).starts_with("HTTP/1.1 200 "));
}

TEST_CASE("a client that leaves takes its file along, wherever the file was") {
  const Folder folder;
  folder.write("big", kBig);
  Play play(folder);
  for (int turns = 0; turns < 6; ++turns) {
    runtime::Fd client = play.connect();
    play.ask(client, "/big");
    for (int i = 0; i < turns; ++i) play.thread().loop().turn(/*wait=*/false);
    client.reset();
    play.turn_until([&] { return play.thread().clients().size() == 0; });
    CHECK(play.thread().open_files() == 0);
  }
  const runtime::Fd client = play.connect();
  play.ask(client, "/big");
  CHECK(play.read(client).starts_with("HTTP/1.1 200 "));
}

TEST_CASE("a front that ends while files are looked for leaves nothing") {
  const Folder folder;
  folder.write("big", kBig);
  Play play(folder);
  std::vector<runtime::Fd> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(play.connect());
    play.ask(clients.back(), "/big");
  }
  play.turn_until([&] { return play.thread().open_files() > 0; });
}
