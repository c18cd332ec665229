// `restart` with long streams open: it returns when the new generation is in force, and does not wait for
// them.
#include "play.h"

TEST_CASE("an event stream lives on after a restart, and is ended at graceful_timeout") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
command = ["$PYTHON", "$APPS/streams.py"]
concurrency = 10
graceful_timeout = "3s"
)");
  const std::string old = std::to_string(portherd.wait_ready().app("app").workers.at(0).pid);
  play::Peer stream = play::connect(portherd.port());
  stream.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
  stream.read_head();
  const std::string first = stream.read_some();
  CHECK(first.find("data: " + old) != std::string::npos);

  const play::Ended restarted = play::portherd({"restart", "app", "-c", portherd.config_file()});
  CHECK_MESSAGE(restarted.status == 0, restarted.err);
  const play::Status after = portherd.status();
  CHECK(after.app("app").workers.at(0).generation == 2);
  CHECK(play::is_alive(std::stoi(old)));                  // it has its stream still
  CHECK(play::get(portherd.port(), "/say").body == "0");  // and the new one has the requests

  // The app's side has ended, and said so as HTTP/1.1 does without a length: to us it is the last chunk.
  std::string rest;
  while (!rest.ends_with("0\r\n\r\n")) rest += stream.read(1);
  play::wait_gone(std::stoi(old));
  CHECK(play::get(portherd.port(), "/say").body == "0");
}
