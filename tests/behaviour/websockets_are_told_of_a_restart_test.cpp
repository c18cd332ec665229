// Whoever has a WebSocket open when its time is over is told so, between two frames: Close with 1012, Service Restart.
// Over HTTP/2: websocket_over_http2_test.cpp.
#include <atomic>
#include <thread>

#include "play.h"

namespace {

constexpr const char* kUpgrade =
    "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
constexpr const char* kSwitched =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
const std::string kClose = "\x88\x02\x03\xf4";
const std::string kClientsClose = "\x88\x82\x01\x02\x03\x04\x02\xf6";  // the same, masked

const std::string kConfig = std::string(R"(
[front]
drain_timeout = "300ms"
)") + play::kPlainAndTls;

struct Stage {
  Stage() : app((folder.certificate("localhost"), folder), "app.sock"), portherd(play::Supervisor::serve(folder, kConfig)) {}
  play::Folder folder;
  play::App app;
  play::Supervisor portherd;
};

play::Peer open(play::Peer& client, play::App& app) {
  client.send(kUpgrade);
  play::Peer worker = app.accept();
  worker.read_head();
  worker.send(kSwitched);
  client.read_head();
  return worker;
}

}  // namespace

TEST_CASE("at the end of a drain a WebSocket is closed with 1012, and its connection in order") {
  Stage stage;
  bool is_tls = false;
  SUBCASE("in plain") {}
  SUBCASE("over TLS") { is_tls = true; }
  play::Peer client = is_tls ? play::connect_tls(stage.portherd.tls_port()) : play::connect(stage.portherd.port());
  play::Peer worker = open(client, stage.app);

  stage.portherd.signal(SIGTERM);
  CHECK(client.read(4) == kClose);
  CHECK(client.ends_well());
  client.send(kClientsClose);
  client.close();
  CHECK(worker.is_closed_by_peer());
  CHECK(stage.portherd.wait_exit() == 0);
}

TEST_CASE("whatever frame is under way then comes to its end first") {
  Stage stage;
  play::Peer client = play::connect(stage.portherd.port());
  play::Peer worker = open(client, stage.app);
  const std::string frame = std::string("\x82\x7e\x03\xe8", 4) + std::string(1000, 'x');
  std::atomic<bool> is_enough = false;
  std::thread talking([&] {
    std::string pieces;  // that end anywhere in a frame
    for (int i = 0; i < 777; ++i) pieces += frame;
    for (std::size_t at = 0; !is_enough; at = (at + 777) % pieces.size()) worker.send(std::string_view(pieces).substr(at, 777));
  });
  client.discard(1'000'000);
  stage.portherd.signal(SIGTERM);
  std::string heard;
  const std::size_t before = 1'000'000 % frame.size();
  for (std::string some; !(some = client.read_some()).empty();) heard += some;
  is_enough = true;
  talking.join();

  REQUIRE(heard.ends_with(kClose));
  heard = frame.substr(0, before) + heard.substr(0, heard.size() - kClose.size());
  CHECK(heard.size() % frame.size() == 0);
  bool are_frames = true;
  for (std::size_t at = 0; at < heard.size(); at += frame.size()) are_frames = are_frames && heard.compare(at, 4, frame, 0, 4) == 0;
  CHECK(are_frames);
  client.close();
  CHECK(stage.portherd.wait_exit() == 0);
}

TEST_CASE("a frame that never ends is cut, and holds up nobody") {
  Stage stage;
  play::Peer client = play::connect(stage.portherd.port());
  play::Peer worker = open(client, stage.app);
  worker.send("\x81\x05he");
  CHECK(client.read(4) == "\x81\x05he");
  CHECK(stage.portherd.stop() == 0);
  CHECK(client.is_closed_by_peer());
  CHECK(worker.is_closed_by_peer());
}

TEST_CASE("a worker that is replaced closes its WebSockets with 1012 before it is told to end; others go on") {
  const play::Folder folder;
  play::App other(folder, "other.sock");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.chats]
hosts = ["chats"]
command = ["$PYTHON", "$APPS/chats.py"]
graceful_timeout = "300ms"
[apps.other]
proxy = ["unix:other.sock"]
)");
  const pid_t before = portherd.wait_ready().app("chats").ready().at(0);
  play::Peer stays = play::connect(portherd.port());
  play::Peer worker = open(stays, other);
  play::Peer client = play::connect(portherd.port());
  client.send(std::string(kUpgrade).replace(std::string(kUpgrade).find("Host: a"), 7, "Host: chats"));
  client.read_head();
  CHECK(client.read(4) == "\x81\x02hi");

  CHECK(play::portherd({"restart", "chats", "-c", portherd.config_file()}).status == 0);
  CHECK(client.read(4) == kClose);
  CHECK(client.ends_well());
  portherd.expect_line("a chat has been left");
  play::wait_gone(before);
  CHECK(portherd.status().app("chats").failed == 0);
  worker.send("\x81\x02hi");
  CHECK(stays.read(4) == "\x81\x02hi");
  stays.close();
}
