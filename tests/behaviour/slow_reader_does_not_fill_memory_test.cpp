#include <thread>

#include "play.h"

TEST_CASE("a client that does not read stops the app, not the memory") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
proxy = ["unix:app.sock"]
)");
  constexpr std::size_t kSize = 256UL << 20;
  const pid_t front = portherd.status().front;
  const std::uint64_t before = play::memory_of(front);
  play::Peer client = play::connect(portherd.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  play::Peer worker = app.accept();
  worker.read_head();
  worker.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kSize) + "\r\n\r\n");

  // What lies between the two is in the sockets' buffers and in ours.
  std::size_t sent = worker.send_until_blocked(kSize);
  MESSAGE("the app could send " << sent << " bytes");
  CHECK(sent < (32UL << 20));
  CHECK(play::memory_of(front) < before + (4UL << 20));

  // Nothing is lost: when the client reads, all of it comes.
  CHECK(client.read_head().starts_with("HTTP/1.1 200 "));
  std::thread writing([&] { sent += worker.send_until_blocked(kSize - sent, play::kPatience); });
  CHECK(client.discard(kSize) == kSize);
  writing.join();
  CHECK(sent == kSize);
}

TEST_CASE("an app that does not read stops the client, not the memory") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
proxy = ["unix:app.sock"]
stream_body = true
max_body = "1GiB"
)");
  constexpr std::size_t kSize = 256UL << 20;
  const pid_t front = portherd.status().front;
  const std::uint64_t before = play::memory_of(front);
  play::Peer client = play::connect(portherd.port());
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(kSize) + "\r\n\r\n");
  play::Peer worker = app.accept();
  const std::size_t sent = client.send_until_blocked(kSize);
  MESSAGE("the client could send " << sent << " bytes");
  CHECK(sent < (32UL << 20));
  CHECK(play::memory_of(front) < before + (4UL << 20));
}
