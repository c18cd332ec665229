#include <thread>

#include "play_h2.h"

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

TEST_CASE("a client that reads none of a hundred streams fills no memory, and holds no worker") {
  using namespace play::h2;
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[front]
threads = 1
[apps.app]
proxy = ["unix:app.sock"]
)");
  constexpr std::uint32_t kStreams = 100;
  constexpr std::size_t kSize = 128UL << 10;
  constexpr std::uint16_t kInitialWindow = 4;
  Client client(play::connect(portherd.port()), setting(kInitialWindow, 0));
  const auto round_trip = [&client] {
    client.send(frame(kPing, kNone, 0, "12345678"));
    client.next(kPing, 0);
  };
  std::vector<play::Peer> workers;
  for (std::uint32_t i = 0; i < kStreams; ++i) {
    client.send(frame(kHeaders, kLast, 2 * i + 1,
                      block({{":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", "/"}})));
    workers.push_back(app.accept());
    workers.back().read_head();
  }
  round_trip();
  const pid_t front = portherd.status().front;
  const std::uint64_t before = play::memory_of(front);
  for (play::Peer& worker : workers)  // all of it goes into the socket's buffer
    worker.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kSize) + "\r\n\r\n" +
                std::string(kSize, 'x'));
  // What is too much for memory goes into files, so the workers are free.
  portherd.wait_until("no worker is busy", [](const play::Status& status) { return status.app("app").busy == 0; });
  for (int i = 0; i < 100; ++i) round_trip();
  const std::uint64_t after = play::memory_of(front);
  MESSAGE("the front has grown by " << (after - before) / 1024 << " KiB");
  if (!play::is_sanitized()) CHECK(after < before + (6UL << 20));  // half of what came

  // Nothing is lost, and no stream is forgotten: when the client reads, all of it comes.
  client.send(frame(kSettings, kNone, 0, setting(kInitialWindow, 1 << 20)) +
              frame(kWindow, kNone, 0, number(1 << 30)));
  std::map<std::uint32_t, std::size_t> came;
  for (std::uint32_t ended = 0; ended < kStreams;) {
    const Frame frame = client.next();
    if (frame.type != kData) continue;
    came[frame.stream] += frame.payload.size();
    ended += frame.has(kEndStream) ? 1 : 0;
  }
  CHECK(came.size() == kStreams);
  for (const auto& [stream, size] : came) CHECK(size == kSize);
}
