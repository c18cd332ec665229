#include "play.h"

namespace {
constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
proxy = ["unix:one.sock", "unix:two.sock"]
)";
constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
}  // namespace

TEST_CASE("a GET whose worker leaves without an answer is given to the other one, once") {
  const play::Folder folder;
  play::App one(folder, "one.sock"), two(folder, "two.sock");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  play::Peer client = play::connect(portherd.port());
  client.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");

  auto [first, worker] = play::App::accept_any({&one, &two});
  worker.wait_for_bytes();
  worker.close();  // with the request unread: the front sees a reset
  auto [second, other] = play::App::accept_any({&one, &two});
  CHECK(second != first);
  CHECK(other.read_head().starts_with("GET /x "));

  SUBCASE("the other answers") {
    other.send(kOk);
    CHECK(client.read_answer().body == "ok");
  }
  SUBCASE("the other leaves too: 502, and nobody is asked a third time") {
    other.close();
    CHECK(client.read_answer().status == 502);
    CHECK_FALSE(one.has_visitor());
    CHECK_FALSE(two.has_visitor());
  }
}

TEST_CASE("a PUT with a body is idempotent and is given again, with its body") {
  const play::Folder folder;
  play::App one(folder, "one.sock"), two(folder, "two.sock");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  play::Peer client = play::connect(portherd.port());
  client.send("PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");

  auto [first, worker] = play::App::accept_any({&one, &two});
  worker.read_body(worker.read_head());
  worker.close();
  auto [second, other] = play::App::accept_any({&one, &two});
  const std::string head = other.read_head();
  CHECK(other.read_body(head) == "hello");
  other.send(kOk);
  CHECK(client.read_answer().body == "ok");
}

TEST_CASE("a PUT whose body is in a file is given again, whole, however far the first worker came with it") {
  const play::Folder folder;
  play::App one(folder, "one.sock"), two(folder, "two.sock");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  std::string body;
  for (int i = 0; body.size() < (4 << 20); ++i) body += std::to_string(i) + '\n';
  const std::string head = "PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  for (const std::size_t read_first : {std::size_t{0}, std::size_t{100'000}, body.size()}) {
    play::Peer client = play::connect(portherd.port());
    client.send(head + body);
    auto [first, worker] = play::App::accept_any({&one, &two});
    worker.read_head();
    worker.read(read_first);
    worker.close();
    auto [second, other] = play::App::accept_any({&one, &two});
    CHECK(other.read_body(other.read_head()) == body);
    other.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    CHECK(client.read_answer().body == "ok");
  }
}

TEST_CASE("a POST that a worker may have read is 502 and given to nobody else") {
  const play::Folder folder;
  play::App one(folder, "one.sock"), two(folder, "two.sock");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  for (const bool has_read : {false, true}) {
    play::Peer client = play::connect(portherd.port());
    client.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    auto [first, worker] = play::App::accept_any({&one, &two});
    worker.wait_for_bytes();  // before that, a failed write would prove that nobody has the request
    if (has_read) worker.read_body(worker.read_head());
    worker.close();
    CHECK(client.read_answer().status == 502);
    CHECK_FALSE(one.has_visitor());
    CHECK_FALSE(two.has_visitor());
  }
}

TEST_CASE("a POST to a worker that is not there was not given to anybody: another one gets it") {
  const play::Folder folder;
  play::App two(folder, "two.sock");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  for (int i = 0; i < 4; ++i) {
    play::Peer client = play::connect(portherd.port());
    client.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    play::Peer worker = two.accept();
    CHECK(worker.read_body(worker.read_head()) == "hello");
    worker.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    CHECK(client.read_answer().body == "ok");
  }
}

TEST_CASE("nothing is repeated once the client has a byte of the answer") {
  const play::Folder folder;
  play::App one(folder, "one.sock"), two(folder, "two.sock");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  play::Peer client = play::connect(portherd.port());
  client.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
  auto [first, worker] = play::App::accept_any({&one, &two});
  worker.read_head();
  worker.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
  CHECK(client.read_head().starts_with("HTTP/1.1 200 "));
  CHECK(client.read(5) == "hello");
  worker.close();

  CHECK(client.is_closed_by_peer());
  CHECK_FALSE(one.has_visitor());
  CHECK_FALSE(two.has_visitor());
}

TEST_CASE("workers that take no connection are given up after a few rounds") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, kConfig);
  const pid_t front = portherd.status().front;
  for (const char* const method : {"GET", "POST"}) {
    play::Peer client = play::connect(portherd.port());
    client.send(std::string(method) + " / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    CHECK(client.read_answer().status == 502);
  }
  CHECK(portherd.status().front == front);
}

TEST_CASE("a request that waits for another worker holds up nobody, and is 502 when none comes") {
  const play::Folder folder;
  play::App one(folder, "one.sock"), two(folder, "two.sock");
  auto portherd = play::Supervisor::serve(folder, std::string(kConfig) + "concurrency = 1\nqueue_timeout = \"2s\"\n");
  play::Peer busy = play::connect(portherd.port());
  busy.send("GET /busy HTTP/1.1\r\nHost: a\r\n\r\n");
  auto [taken, holds] = play::App::accept_any({&one, &two});
  play::Peer unlucky = play::connect(portherd.port());
  unlucky.send("GET /unlucky HTTP/1.1\r\nHost: a\r\n\r\n");
  auto [free, worker] = play::App::accept_any({&one, &two});
  REQUIRE(free != taken);
  worker.read_head();
  worker.close();
  // It waits for the busy one now; the free one is there for others.
  portherd.wait_until("it waits", [](const play::Status& status) { return status.app("app").queue == 1; });
  play::Peer other = play::connect(portherd.port());
  other.send("GET /other HTTP/1.1\r\nHost: a\r\n\r\n");
  auto [again, next] = play::App::accept_any({&one, &two});
  CHECK(again == free);
  CHECK(next.read_head().starts_with("GET /other "));
  next.send(kOk);
  CHECK(other.read_answer().body == "ok");
  CHECK(unlucky.read_answer().status == 502);
  holds.read_head();
  holds.send(kOk);
  CHECK(busy.read_answer().body == "ok");
}
