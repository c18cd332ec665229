#include "play.h"
#include "steady_load.h"

namespace {
constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.who]
command = ["$PYTHON", "$APPS/who.py"]
workers = 2
)";
}

TEST_CASE("a killed front comes back, to the same workers, and no connect is refused meanwhile") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, kConfig);
  const play::Status before = portherd.wait_ready();
  REQUIRE(play::get(portherd.port()).status == 200);

  const auto start = std::chrono::steady_clock::now();
  ::kill(before.front, SIGKILL);
  std::vector<play::Peer> clients;  // some of them come while nobody is there
  for (int i = 0; i < 100; ++i) {
    clients.push_back(play::connect(portherd.port()));
    clients.back().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  const std::string workers = std::to_string(before.app("who").workers[0].pid) + "\n" +
                              std::to_string(before.app("who").workers[1].pid) + "\n";
  int answered = 0;
  for (play::Peer& client : clients) {
    const play::Answer answer = client.read_answer();
    // A connection that the old front had accepted before it died is lost with it; those in the backlog are
    // not.
    if (!answer.is_whole) continue;
    ++answered;
    CHECK(answer.status == 200);
    CHECK(workers.find(answer.body) != std::string::npos);
  }
  MESSAGE("answered " << answered << " of 100, all within "
                      << std::chrono::duration_cast<std::chrono::milliseconds>(
                             std::chrono::steady_clock::now() - start)
                             .count()
                      << " ms");
  CHECK(answered > 0);

  const play::Status after = portherd.wait_until("another front runs", [&](const play::Status& status) {
    return status.front > 0 && status.front != before.front && status.all_ready();
  });
  CHECK(after.app("who").ready() == before.app("who").ready());
  CHECK(play::get(portherd.port()).status == 200);
  CHECK(after.app("who").served >= before.app("who").served);  // counters never fall
}

TEST_CASE("the front may be killed again and again") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, kConfig);
  const play::Status first = portherd.wait_ready();
  pid_t front = first.front;
  for (int i = 0; i < 5; ++i) {
    ::kill(front, SIGKILL);
    const play::Status now = portherd.wait_until("another front runs", [&](const play::Status& status) {
      return status.front > 0 && status.front != front;
    });
    front = now.front;
    CHECK(play::get(portherd.port()).status == 200);
    CHECK(portherd.status().app("who").ready() == first.app("who").ready());
  }
}

TEST_CASE("a front that is killed under load costs no more than the requests that were in flight") {
  const play::Folder folder;
  folder.certificate("localhost");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
https = ["127.0.0.1:$TLS"]
[tls]
certificates = "tls"
[log]
access = "off"
[apps.who]
command = ["$PYTHON", "$APPS/who.py"]
workers = 2
plain_http = "serve"
)");
  const play::Status before = portherd.wait_ready();
  constexpr play::Crowd kCrowd{};
  play::SteadyLoad load(portherd, {}, kCrowd);
  load.wait_for(100);
  ::kill(before.front, SIGKILL);
  load.wait_for(500);
  const play::Tally tally = load.stop();
  MESSAGE(tally.text());
  CHECK(tally.failed + tally.repeated <= kCrowd.requests());
  CHECK(portherd.wait_ready().app("who").ready() == before.app("who").ready());
}
