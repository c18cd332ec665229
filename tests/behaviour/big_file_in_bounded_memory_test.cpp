#include <unistd.h>

#include <vector>

#include "play.h"

namespace {

constexpr std::string_view kSite = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[log]
access = "stderr"
[apps.site]
[[apps.site.routes]]
files = "files"
)";
constexpr std::size_t kSize = 256UL << 20;

/// A file of zeros that takes no room on the disk.
std::string sparse(const play::Folder& folder, std::size_t size) {
  const std::string file = folder.write("files/big", "");
  REQUIRE(::truncate(file.c_str(), static_cast<off_t>(size)) == 0);
  return file;
}

}  // namespace

TEST_CASE("clients that do not read a big file cost a piece each, and get all of it when they do") {
  const play::Folder folder;
  sparse(folder, kSize);
  auto portherd = play::Supervisor::serve(folder, kSite);
  const pid_t front = portherd.status().front;
  const std::uint64_t before = play::memory_of(front);
  constexpr std::size_t kClients = 100;
  std::vector<play::Peer> clients;
  for (std::size_t i = 0; i < kClients; ++i) {
    clients.push_back(play::connect(portherd.port()));
    clients.back().send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  for (play::Peer& client : clients) CHECK(client.read_head().starts_with("HTTP/1.1 200 "));
  CHECK(clients[0].discard(kSize) == kSize);
  const std::uint64_t after = play::memory_of(front);
  // What is left of one piece while the next is there, each in a chunk of 64 KiB, and what the allocator
  // adds.
  MESSAGE("the front has grown by " << (after - before) << " bytes");
  if (!play::is_sanitized()) CHECK(after < before + kClients * (192UL << 10) + (4UL << 20));
  CHECK(clients[1].discard(kSize) == kSize);
}

TEST_CASE("a client that leaves in the middle of a file leaves nothing behind") {
  const play::Folder folder;
  sparse(folder, kSize);
  auto portherd = play::Supervisor::serve(folder, kSite);
  for (int i = 0; i < 50; ++i) {
    play::Peer client = play::connect(portherd.port());
    client.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
    if (i % 2 == 0) client.read_head();  // else the disk has not even answered
    client.reset();
  }
  play::Peer client = play::connect(portherd.port());
  client.send("GET /big HTTP/1.1\r\nHost: a\r\nRange: bytes=-5\r\n\r\n");
  CHECK(client.read_answer().body.size() == 5);
}

TEST_CASE("a file that becomes shorter while it is sent is cut, not whole") {
  const play::Folder folder;
  const std::string file = sparse(folder, kSize);
  auto portherd = play::Supervisor::serve(folder, kSite);
  play::Peer client = play::connect(portherd.port());
  client.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(client.read_head().find("Content-Length: 268435456\r\n") != std::string::npos);
  REQUIRE(::truncate(file.c_str(), 1000) == 0);
  CHECK(client.discard(kSize) < kSize);
  CHECK(portherd.expect_line("\"outcome\":").find("file became shorter while it was sent") !=
        std::string::npos);
}
