#include "examples.h"

TEST_CASE("a Go server by command, built by Debian's go: examples/go") {
  if (!play::is_installed("go", "Debian's golang-go has it, some 450 MiB")) return;
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, play::example(folder, "go"));
  portherd.wait_ready();

  CHECK(play::get(portherd.port()).body.starts_with("Hello from Go, process "));
  play::Peer client = play::connect(portherd.port());
  for (int i = 0; i < 20; ++i) {
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
    CHECK(client.read_answer().body == "hello");
  }
  client.close();
  portherd.signal(SIGTERM);
  CHECK(portherd.wait_exit() == 0);
  CHECK(portherd.lines_with("SIGKILL").empty());  // it left when it was told to
}
