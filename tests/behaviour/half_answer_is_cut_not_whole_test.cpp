#include "play.h"

namespace {
constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
command = ["$PYTHON", "$APPS/half_answer.py"]
)";
}

TEST_CASE("an answer of which the end is missing never looks whole to the client") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, kConfig);
  for (const char* const path : {"/length", "/chunked"}) {
    CAPTURE(path);
    const play::Answer answer = play::get(portherd.port(), path);
    CHECK(answer.status == 200);
    CHECK(answer.body == "hello");
    CHECK_FALSE(answer.is_whole);

    const play::Ended h2 = play::run({"curl", "-sS", "--http2-prior-knowledge",
                                      "http://127.0.0.1:" + std::to_string(portherd.port()) + path});
    CHECK(h2.status != 0);  // a reset stream
  }
  CHECK(play::get(portherd.port(), "/whole").body == "whole\n");
}

TEST_CASE("half a head, or nothing, is 502 where the request may not be repeated") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, kConfig);
  for (const std::string path : {"/head", "/nothing"}) {
    CAPTURE(path);
    play::Peer client = play::connect(portherd.port());
    client.send("POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    CHECK(client.read_answer().status == 502);
  }
}

TEST_CASE("a request that was in flight at two deaths is not given to a third worker") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, kConfig);
  const pid_t first = portherd.wait_ready().app("app").workers.at(0).pid;

  const play::Answer answer = play::get(portherd.port(), "/nothing");
  CHECK((answer.status == 502 || answer.status == 503));
  const play::Status after = portherd.wait_until("there is a worker again", [&](const play::Status& status) {
    return status.all_ready() && status.app("app").workers.at(0).pid != first;
  });
  CHECK(play::get(portherd.port(), "/whole").body == "whole\n");
  CHECK(after.app("app").failed == 1);
}
