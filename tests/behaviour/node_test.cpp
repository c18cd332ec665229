#include "examples.h"

TEST_CASE("a Node server by command: examples/node") {
  if (!play::is_installed("node")) return;
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, play::example(folder, "node"));
  portherd.wait_ready();

  CHECK(play::get(portherd.port()).body.starts_with("Hello from Node, process "));
  play::Peer client = play::connect(portherd.port());
  for (int i = 0; i < 20; ++i) {
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
    CHECK(client.read_answer().body == "hello");
  }
}
