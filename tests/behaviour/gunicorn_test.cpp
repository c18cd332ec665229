#include "play.h"

TEST_CASE("gunicorn by command, with the socket handed over as a descriptor") {
  if (!play::is_installed("gunicorn")) return;
  const play::Folder folder;
  folder.write("hello.py", R"(
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello " + environ["wsgi.input"].read()]
)");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.hello]
command = ["gunicorn", "--bind", "fd://{fd}", "--threads", "4", "hello:app"]
workers = 2
)");
  portherd.wait_ready();
  play::Peer client = play::connect(portherd.port());
  for (int i = 0; i < 20; ++i) {
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nthere");
    CHECK(client.read_answer().body == "hello there");
  }
}
