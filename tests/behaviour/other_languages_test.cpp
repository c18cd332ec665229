// The servers of examples/ that are no Python: each finds its socket, answers many requests on one connection, and leaves when
// it is told to.
#include "examples.h"

namespace {

void answers_and_leaves(const std::string& example, const std::string& greeting) {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, play::example(folder, example));
  portherd.wait_ready();

  CHECK(play::get(portherd.port()).body.starts_with("Hello from " + greeting + ", process "));
  play::Peer client = play::connect(portherd.port());
  for (int i = 0; i < 20; ++i) {
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
    CHECK(client.read_answer().body == "hello");
  }
  client.close();
  portherd.signal(SIGTERM);
  CHECK(portherd.wait_exit() == 0);
  CHECK(portherd.lines_with("SIGKILL").empty());
}

}  // namespace

TEST_CASE("Node by command: examples/node") {
  if (play::is_installed("node")) answers_and_leaves("node", "Node");
}

TEST_CASE("Puma by command, with the socket of LISTEN_FDS: examples/ruby-puma") {
  if (play::is_installed("puma")) answers_and_leaves("ruby-puma", "Puma");
}

TEST_CASE("a Go server by command, built by Debian's go: examples/go") {
  if (play::is_installed("go", "Debian's golang-go has it, some 450 MiB")) answers_and_leaves("go", "Go");
}
