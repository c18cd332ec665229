// A thread of a front that drains: whom it takes, and when it is over. Its loop is turned by hand.
#include "proxy/front_thread.h"

#include <sys/socket.h>
#include <unistd.h>

#include "doctest_precompiled.h"
#include "proxy/access_log.h"
#include "runtime/socket.h"
#include "upstream/remainder.h"

namespace {

conf::Settings settings_with_an_app() {
  conf::Settings settings;
  settings.apps.emplace_back().name = "shop";
  settings.apps[0].command = {"-"};
  return settings;
}

/// One that listens at a path and has an app with one worker.
struct Stage {
  Stage() {
    proxy::ThreadPart opens{.snapshot = snapshot, .max_clients = 100};
    opens.sockets.push_back({std::move(*runtime::listen_unix(path, 0600)), "here", 0, {}});
    thread.go_over(std::move(opens));
    site.dispatches[0]->publish({.id = 1, .pid = 1, .row = 1, .socket = worker_path});
  }
  ~Stage() {
    ::unlink(path.c_str());
    ::unlink(worker_path.c_str());
    site.close_disks();
  }
  void drain(bool is_replaced) {
    thread.drain(main, is_replaced, [this] { is_over = true; });
  }
  void turn() {
    for (int i = 0; i < 3; ++i) thread.loop().turn(false);
    main.turn(false);
  }
  runtime::Fd connect() const { return runtime::connect_unix(path); }

  const std::string path = "/tmp/portherd-thread-" + std::to_string(::getpid()), worker_path = path + "-worker";
  const runtime::Fd worker = std::move(*runtime::listen_unix(worker_path, 0600));
  const upstream::Scoreboard board = std::move(*upstream::Scoreboard::make());
  const proxy::SnapshotPointer snapshot =
      std::make_shared<const proxy::Snapshot>(settings_with_an_app(), std::vector<upstream::AppIndex>{0});
  const proxy::Site site{*snapshot, *board};
  proxy::AccessLog log;
  runtime::Loop main;
  bool is_over = false;
  proxy::FrontThread thread{0, site, snapshot, log, 100};
};

/// A request that a client has left, and the worker's end of its connection.
struct Left {
  explicit Left(Stage& stage) : ticket(runtime::bind<&Left::on_leased>(this)) {
    upstream::Desk& desk = stage.thread.desk(0);
    upstream::Leftover left{.request_timeout = std::chrono::hours(1), .graceful_timeout = std::chrono::hours(1)};
    REQUIRE(desk.dispatch().acquire(desk, ticket, left.lease, {}) == upstream::Acquired::kLeased);
    REQUIRE(left.lease.connect() != nullptr);
    worker = runtime::Fd(::accept4(stage.worker.get(), nullptr, nullptr, SOCK_CLOEXEC));
    left.reader.begin(upstream::Speech::kHttp, upstream::Method::kGet, false);
    desk.leave_behind(std::move(left));
  }
  void on_leased(upstream::Lease&) {}
  upstream::Ticket ticket;
  runtime::Fd worker;
};

}  // namespace

TEST_CASE("when all is ending who is connected already is let in, and nobody after that") {
  Stage stage;
  const runtime::Fd first = stage.connect(), second = stage.connect();
  REQUIRE(first);
  REQUIRE(second);
  stage.drain(/*is_replaced=*/false);
  CHECK(stage.thread.clients().size() == 2);
  CHECK_FALSE(stage.connect());
  stage.turn();
  CHECK_FALSE(stage.is_over);
}

TEST_CASE("a front that is replaced leaves those who are not accepted yet to the next one") {
  Stage stage;
  const runtime::Fd first = stage.connect();
  REQUIRE(first);
  stage.drain(/*is_replaced=*/true);
  CHECK(stage.thread.clients().size() == 0);
  stage.turn();
  CHECK(stage.is_over);
}

TEST_CASE("a front that is replaced stays until no worker is busy with what a client has left") {
  Stage stage;
  Left left(stage);
  stage.drain(/*is_replaced=*/true);
  stage.turn();
  CHECK_FALSE(stage.is_over);
  CHECK(stage.board->board.worker[1].taken == 1);
  left.worker.reset();
  stage.turn();
  CHECK(stage.is_over);
  CHECK(stage.board->board.worker[1].taken == 0);
}

TEST_CASE("when all is ending the workers are given their own time for what clients have left") {
  Stage stage;
  Left left(stage);
  stage.drain(/*is_replaced=*/false);
  stage.turn();
  CHECK(stage.is_over);
}
