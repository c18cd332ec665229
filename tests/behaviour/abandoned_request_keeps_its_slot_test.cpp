#include "play.h"

// A slot is free when the worker has let go: what is given to it before that waits in its backlog, unseen.
TEST_CASE("who comes after a client that has left waits in our line, not in the worker's backlog") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
proxy = ["unix:app.sock"]
concurrency = 1
)");
  play::Peer leaver = play::connect(portherd.port());
  leaver.send("GET /first HTTP/1.1\r\nHost: a\r\n\r\n");
  play::Peer worker = app.accept();
  CHECK(worker.read_head().starts_with("GET /first "));
  leaver.reset();
  CHECK(worker.is_closed_by_peer());  // our writing side is shut: the front knows that nobody waits

  play::Peer next = play::connect(portherd.port());
  next.send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
  portherd.wait_until("the next one is in line", [](const play::Status& status) { return status.app("app").queue == 1; });
  CHECK_FALSE(app.has_visitor());
  CHECK(portherd.status().app("app").busy == 1);

  worker.send("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
  play::Peer again = app.accept();
  CHECK(again.read_head().starts_with("GET /next "));
  again.send("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
  CHECK(next.read_answer().status == 204);
}
