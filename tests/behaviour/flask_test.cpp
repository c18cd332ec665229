#include "examples.h"

TEST_CASE("Flask by wsgi: examples/python-flask") {
  if (play::run({play::python(), "-c", "import flask"}).status != 0) {
    MESSAGE("skipped: Flask is not installed (packaging/build-deps installs it)");
    return;
  }
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, play::example(folder, "python-flask"));
  CHECK(portherd.wait_ready().app("flask").workers.size() == 2);

  CHECK(play::get(portherd.port()).body == "Hello from Flask, 127.0.0.1\n");
  CHECK(play::get(portherd.port(), "/count/3").body == "1\n2\n3\n");
  CHECK(play::get(portherd.port(), "/nowhere").status == 404);
  const std::string body(300'000, 'x');
  play::Peer client = play::connect(portherd.port());
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n" + body);
  CHECK(client.read_answer().body == body);
}
