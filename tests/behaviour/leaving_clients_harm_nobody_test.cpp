#include "play.h"

TEST_CASE("clients that leave in the middle of an answer take nobody with them") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.endless]
command = ["$PYTHON", "$APPS/endless.py"]
)");
  portherd.wait_ready();
  const pid_t front = portherd.status().front;
  // The client's goodbye and more of the answer come to the front in the same turn of its loop, sooner or later.
  for (std::uint64_t i = 0; i < play::scaled(400); ++i) {
    play::Peer client = play::connect(portherd.port());
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    client.wait_for_bytes();
    i % 2 == 0 ? client.reset() : client.close();
  }
  play::Peer client = play::connect(portherd.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(client.read_head().starts_with("HTTP/1.1 200 "));
  CHECK(portherd.status().front == front);
}
