#include <fcntl.h>
#include <sys/file.h>

#include <nlohmann/json.hpp>

#include "play.h"

namespace {

constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[log]
access = { path = "access.log" }
[apps.app]
command = ["$PYTHON", "$APPS/mortal.py"]
workers = 3
concurrency = 2
)";

play::Peer ask(std::uint16_t port, const std::string& request_line) {
  play::Peer client = play::connect(port);
  client.send(request_line + " HTTP/1.1\r\nHost: a\r\n\r\n");
  return client;
}

void wait_for_lines(play::Supervisor& portherd, const char* text, std::size_t count) {
  portherd.wait_until(text, [&](const play::Status&) { return portherd.lines_with(text).size() >= count; });
}

nlohmann::json event_of(play::Supervisor& portherd, const play::Folder& folder, const std::string& path) {
  std::string line;
  portherd.wait_until("its event is in the log", [&](const play::Status&) {
    const std::string text = folder.read("access.log");
    const std::size_t at = text.find("\"path\":\"" + path + "\"");
    if (at == text.npos) return false;
    line = text.substr(text.rfind('\n', at) + 1);
    line.resize(std::min(line.find('\n'), line.size()));
    return line.ends_with('}');
  });
  return nlohmann::json::parse(line);
}

}  // namespace

TEST_CASE("a request that kills its workers has two of them, and who was beside it is answered by another") {
  const play::Folder folder;
  const runtime::Fd gate(::open(folder.write("gate", "").c_str(), O_RDWR | O_CLOEXEC));
  REQUIRE(::flock(gate.get(), LOCK_EX) == 0);
  auto portherd = play::Supervisor::serve(folder, kConfig);
  portherd.wait_ready();
  // One at each worker, which each have one slot left.
  std::vector<play::Peer> innocents;
  for (std::size_t i = 1; i <= 3; ++i) {
    innocents.push_back(ask(portherd.port(), "GET /hold"));
    wait_for_lines(portherd, "holds", i);
  }

  const play::Answer answer = ask(portherd.port(), "GET /kill").read_answer();
  CHECK(answer.status == 503);
  const std::string id = answer.field("X-Request-Id");
  CHECK(id.size() == 32);
  CHECK(answer.body == "503 Service Unavailable\nincident: " + id + "\n");
  CHECK(answer.field("Retry-After").empty());
  const std::string line = portherd.expect_line("incident=" + id);
  for (const char* const part : {"app=app", "method=GET", "path=/kill", "first_pid=", "second_pid="}) {
    CAPTURE(part);
    CHECK(line.find(part) != line.npos);
  }

  REQUIRE(::flock(gate.get(), LOCK_UN) == 0);
  for (play::Peer& innocent : innocents) CHECK(innocent.read_answer().status == 200);
  wait_for_lines(portherd, "| dies of", 2);
  CHECK(portherd.lines_with("| dies of").size() == 2);
  const nlohmann::json event = event_of(portherd, folder, "/kill");
  CHECK(event["id"] == id);
  CHECK(event["attempts"] == 2);
  CHECK(event["outcome"] == "app: two workers died with it in flight");
}

TEST_CASE("it is an incident also where there is one worker, and over a connection that was used before") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
command = ["$PYTHON", "$APPS/mortal.py"]
)");
  portherd.wait_ready();
  CHECK(play::get(portherd.port()).status == 200);
  play::Peer client = ask(portherd.port(), "HEAD /kill");
  const play::Answer answer = client.read_answer("HEAD");
  CHECK(answer.status == 503);
  portherd.expect_line("incident=" + answer.field("X-Request-Id"));
  CHECK(play::get(portherd.port()).status == 200);
  wait_for_lines(portherd, "| dies of", 2);
  CHECK(portherd.lines_with("| dies of").size() == 2);
}

TEST_CASE("what must not run twice kills one worker only") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
command = ["$PYTHON", "$APPS/mortal.py"]
workers = 2
)");
  portherd.wait_ready();
  CHECK(ask(portherd.port(), "POST /kill").read_answer().status == 502);
  CHECK(play::get(portherd.port()).status == 200);
  wait_for_lines(portherd, "| dies of", 1);
  CHECK(portherd.lines_with("| dies of").size() == 1);
}

TEST_CASE("a worker that closes connections without an answer, and lives, makes nobody wait for another one") {
  std::string workers;
  SUBCASE("one worker") { workers = "1"; }
  SUBCASE("two workers") { workers = "2"; }
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
command = ["$PYTHON", "$APPS/mortal.py"]
queue_timeout = "10m"
workers = )" + workers + "\n");
  portherd.wait_ready();
  for (int i = 0; i < 3; ++i) CHECK(play::get(portherd.port(), "/leave").status == 502);
  CHECK(play::get(portherd.port()).status == 200);
  CHECK(play::get(portherd.port(), "/leave").status == 502);  // over a connection that was used before
}

TEST_CASE("a request that kills the only worker over a used connection, and is not answered by the next one, is a 502") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[front]
threads = 1
[apps.app]
command = ["$PYTHON", "$APPS/mortal.py"]
queue_timeout = "10m"
)");
  const pid_t front = portherd.wait_ready().front;
  CHECK(play::get(portherd.port()).status == 200);
  CHECK(play::get(portherd.port(), "/kill-once").status == 502);
  CHECK(portherd.status().front == front);
}
