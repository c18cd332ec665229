#include <sys/stat.h>

#include "play.h"

TEST_CASE("while an app starts its requests wait; they do not fail") {
  const play::Folder folder;
  REQUIRE(::mkfifo((folder / "go").c_str(), 0600) == 0);
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.slow]
command = ["$PYTHON", "$APPS/slow_start.py"]
concurrency = 20
queue_timeout = "1ms"   # does not count before the app has had a ready worker; then all of them have a slot
)");
  std::vector<play::Peer> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(play::connect(portherd.port()));
    clients.back().send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
  }
  const play::Status waiting = portherd.wait_until(
      "all wait in line", [](const play::Status& status) { return status.app("slow").queue == 20; });
  CHECK(waiting.app("slow").workers.at(0).state == "starting");
  CHECK(waiting.exit_status == 3);

  folder.write("go", "");
  for (play::Peer& client : clients) CHECK(client.read_answer().body == "at last\n");
  CHECK(portherd.wait_ready().exit_status == 0);
}
