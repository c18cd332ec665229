#include "play.h"

TEST_CASE("a front whose loops stand still is killed and replaced") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.who]
command = ["$PYTHON", "$APPS/who.py"]
)");
  const play::Status before = portherd.wait_ready();

  ::kill(before.front, SIGSTOP);
  const play::Status after = portherd.wait_until("another front runs", [&](const play::Status& status) {
    return status.front > 0 && status.front != before.front;
  });
  CHECK_FALSE(play::is_alive(before.front));
  CHECK(play::get(portherd.port()).status == 200);
  CHECK(portherd.status().app("who").ready() == before.app("who").ready());
  CHECK(after.supervisor == before.supervisor);
}
