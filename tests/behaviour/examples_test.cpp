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
  CHECK(count >= 11);
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

TEST_CASE("the example of files serves them beside its app, and a redirect") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, play::example(folder, "files"));
  portherd.wait_ready();
  CHECK(play::get(portherd.port()).body.starts_with("<!doctype html>"));
  CHECK(play::get(portherd.port(), "/static/shop.css").body == folder.read("shop/static/shop.css"));
  CHECK(play::get(portherd.port(), "/static/icon.svg").field("Content-Type") == "image/svg+xml");
  const play::Answer icon = play::get(portherd.port(), "/favicon.ico");
  CHECK(icon.status == 308);
  CHECK(icon.field("Location") == "/static/icon.svg");
  play::Peer client = play::connect(portherd.port());
  client.send("GET /static/shop.css HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n");
  CHECK(client.read_answer().body == folder.read("shop/static/shop.css.gz"));
}
