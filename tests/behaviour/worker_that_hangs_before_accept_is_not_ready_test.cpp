#include "play.h"

TEST_CASE("that a connect succeeds proves nothing: a worker that does not accept is never ready") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
command = ["$PYTHON", "$APPS/hangs_before_accept.py"]
boot_timeout = "1s"
)");
  bool was_ready = false;
  play::Peer client = play::connect(portherd.port());
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
  portherd.wait_until("a second worker is tried", [&](const play::Status& status) {
    was_ready = was_ready || !status.app("app").ready().empty();
    return portherd.lines_with("| started ").size() >= 2;
  });
  CHECK_FALSE(was_ready);
  portherd.expect_line("; its last probe: no answer; its socket is descriptor 3");
  CHECK(client.read_answer().status == 503);
}
