#include "load.h"
#include "play.h"

namespace {
constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[log]
access = "off"
[apps.counts]
command = ["$PYTHON", "$APPS/counts.py"]
concurrency = 3
)";

struct Count {
  int opened = 0, most = 0;
};
Count to_count(const std::string& body) {
  Count count;
  REQUIRE(std::sscanf(body.c_str(), "opened %d, at most %d at a time", &count.opened, &count.most) == 2);
  return count;
}
}  // namespace

TEST_CASE("a thousand requests one after the other open at most `concurrency` connections to the worker") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, kConfig);
  portherd.wait_ready();

  SUBCASE("on one connection of the client") {
    play::Peer client = play::connect(portherd.port());
    Count count;
    for (int i = 0; i < 1000; ++i) {
      client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      count = to_count(client.read_answer().body);
    }
    MESSAGE("opened " << count.opened);
    CHECK(count.most <= 3);
    CHECK(count.opened <= 3);
  }
  SUBCASE("each on a connection of its own") {
    Count count;
    for (int i = 0; i < 1000; ++i) count = to_count(play::get(portherd.port()).body);
    MESSAGE("opened " << count.opened);
    CHECK(count.most <= 3);
    CHECK(count.opened <= 3);
  }
}

TEST_CASE("thirty clients at the same time open no more") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, kConfig);
  portherd.wait_ready();
  const std::string url = "http://127.0.0.1:" + std::to_string(portherd.port()) + "/";

  const play::Load load = play::to_load(play::run({"h2load", "--h1", "-n", "3000", "-c", "30", url}));
  CHECK(load.answered_2xx == 3000);
  CHECK(to_count(play::get(portherd.port()).body).most <= 3);
}
