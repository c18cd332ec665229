#include "examples.h"

TEST_CASE("Puma by command, with the socket of LISTEN_FDS: examples/ruby-puma") {
  if (!play::is_installed("puma")) return;
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, play::example(folder, "ruby-puma"));
  portherd.wait_ready();

  CHECK(play::get(portherd.port()).body.starts_with("Hello from Puma, process "));
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
