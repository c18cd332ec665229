#include "examples.h"

#include <filesystem>

TEST_CASE("every example passes check") {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(play::source("examples"))) {
    if (!entry.is_directory()) continue;
    CAPTURE(entry.path().string());
    const play::Ended check = play::portherd({"check", "-c", entry.path() / "portherd.toml"});
    CHECK_MESSAGE(check.status == 0, (check.out + check.err));
    ++count;
  }
  CHECK(count >= 8);
}

TEST_CASE("the examples without a framework serve") {
  for (const std::string name : {"smallest", "hello", "every-setting"}) {
    CAPTURE(name);
    const play::Folder folder;
    auto portherd = play::Supervisor::serve(folder, play::example(folder, name));
    CHECK(portherd.wait_ready().exit_status == 0);
    const play::Answer answer = play::get(portherd.port());
    CHECK(answer.status == 200);
    CHECK_FALSE(answer.body.empty());
  }
}

TEST_CASE("the proxy example serves what somebody else runs") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, play::example(folder, "proxy"));
  CHECK(play::get(portherd.port()).status == 502);

  play::App elsewhere(folder, "elsewhere.sock");
  play::Peer client = play::connect(portherd.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  play::Peer worker = elsewhere.accept();
  worker.read_head();
  worker.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nelsewhere");
  CHECK(client.read_answer().body == "elsewhere");
}
