#include "examples.h"

TEST_CASE("a Starlette app in our own worker: examples/starlette-asgi") {
  if (!play::is_installed("uvicorn")) return;  // Debian's comes with Starlette
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, play::example(folder, "starlette-asgi"));
  portherd.wait_ready();
  CHECK(play::get(portherd.port()).body == "Hello from Starlette over HTTP/1.1\n");
  CHECK(play::get(portherd.port(), "/count/3").body == "1\n2\n3\n");
  play::Peer client = play::connect(portherd.port());
  for (int i = 0; i < 20; ++i) {
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    CHECK(client.read_answer().body == "hello");
  }
}

TEST_CASE("uvicorn with a Starlette app by command: examples/starlette-uvicorn") {
  if (!play::is_installed("uvicorn")) return;
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, play::example(folder, "starlette-uvicorn"));
  portherd.wait_ready();

  CHECK(play::get(portherd.port()).body == "Hello from Starlette over HTTP/1.1\n");
  CHECK(play::get(portherd.port(), "/count/3").body == "1\n2\n3\n");
  play::Peer client = play::connect(portherd.port());
  for (int i = 0; i < 20; ++i) {
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    CHECK(client.read_answer().body == "hello");
  }
}
