#include "play.h"

TEST_CASE("a request goes to the worker with the fewest in flight") {
  const play::Folder folder;
  play::App one(folder, "one.sock"), two(folder, "two.sock"), three(folder, "three.sock");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
proxy = ["unix:one.sock", "unix:two.sock", "unix:three.sock"]
concurrency = 4
)");
  std::vector<play::Peer> clients, workers;
  std::vector<int> in_flight(3, 0);
  for (int i = 0; i < 12; ++i) {
    clients.push_back(play::connect(portherd.port()));
    clients.back().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    auto [which, worker] = play::App::accept_any({&one, &two, &three});
    worker.read_head();
    const int fewest = *std::min_element(in_flight.begin(), in_flight.end());
    CHECK(in_flight[which] == fewest);
    ++in_flight[which];
    workers.push_back(std::move(worker));
  }
  CHECK(in_flight == std::vector<int>{4, 4, 4});
  CHECK(portherd.status().app("app").busy == 12);

  // Whichever becomes free gets the next one.
  for (std::size_t i : {5UL, 0UL, 7UL}) {
    workers[i].send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    CHECK(clients[i].read_answer().status == 200);
    clients[i].send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(workers[i].read_head().starts_with("GET /next "));
  }
  for (std::size_t i = 0; i < workers.size(); ++i) {
    workers[i].send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    CHECK(clients[i].read_answer().status == 200);
  }
}
