#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "play_h2.h"

namespace {

std::string config(const std::string& access) {
  return R"(
[listen]
http = ["127.0.0.1:$PORT"]
[log]
error = { path = "error.log" }
access = )" +
         access + R"(
[apps.who]
command = ["$PYTHON", "$APPS/who.py"]
)";
}

// Until the clock says so: nothing else makes a request slow.
void ask_slowly(play::Supervisor& portherd, play::App& app) {
  play::Peer client = play::connect(portherd.port());
  client.send("GET /slow?secret HTTP/1.1\r\nHost: a\r\n\r\n");
  play::Peer worker = app.accept();
  worker.read_head();
  const auto since = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - since < std::chrono::milliseconds(5)) portherd.status();
  worker.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  CHECK(client.read_answer().body == "ok");
}

// A line is written after the last byte of its answer, so it may come a moment after the client has it.
std::string wait_for_lines(play::Supervisor& portherd, const play::Folder& folder, const std::string& file,
                           long count) {
  std::string text;
  portherd.wait_until("the access log has its lines", [&](const play::Status&) {
    text = folder.read(file);
    return std::count(text.begin(), text.end(), '\n') >= count;
  });
  return text;
}

// The shape of what stands in brackets: every digit 0, every letter A or a, the sign of the zone +. (Not by
// std::regex: g++ 12 warns of it under a sanitizer.)
void mask_time(std::string& line) {
  for (std::size_t i = line.find('[') + 1; line[i] != ']'; ++i) {
    char& c = line[i];
    if (c >= '0' && c <= '9') c = '0';
    if (c >= 'A' && c <= 'Z') c = 'A';
    if (c >= 'a' && c <= 'z') c = 'a';
    if (c == '-') c = '+';
  }
}

}  // namespace

TEST_CASE("an access event is a flat JSON object with these fields") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, config(R"({ path = "access.log" })"));
  const pid_t pid = portherd.wait_ready().app("who").workers.at(0).pid;
  play::Peer client = play::connect(portherd.port());
  client.send(
      "POST /path?query=1 HTTP/1.1\r\nHost: a.example:80\r\nContent-Length: 5\r\nUser-Agent: \"quoted\"\r\n"
      "Referer: http://b.example/\r\n\r\nhello");
  const play::Answer answer = client.read_answer();

  const auto event = nlohmann::json::parse(wait_for_lines(portherd, folder, "access.log", 1));
  for (const char* const field :
       {"time",     "id",       "app",       "generation", "worker",        "pid",
        "client",   "method",   "host",      "path",       "protocol",      "tls",
        "status",   "bytes_in", "bytes_out", "queue_ms",   "first_byte_ms", "total_ms",
        "attempts", "outcome",  "referer",   "user_agent"}) {
    CAPTURE(field);
    CHECK(event.contains(field));
  }
  for (const auto& [name, value] : event.items()) CHECK_MESSAGE(!value.is_structured(), name);
  CHECK(event["app"] == "who");
  CHECK(event["worker"] == 1);
  CHECK(event["generation"] == 1);
  CHECK(event["pid"] == pid);
  CHECK(event["client"] == "127.0.0.1");
  CHECK(event["method"] == "POST");
  CHECK(event["path"].get<std::string>().starts_with("/path"));
  CHECK(event["status"] == 200);
  CHECK(event["bytes_in"] == 5);
  CHECK(event["bytes_out"] == answer.body.size());
  CHECK(event["attempts"] == 1);
  CHECK(event["outcome"] == "ok");
  CHECK(event["user_agent"] == "\"quoted\"");
  CHECK(event["referer"] == "http://b.example/");
}

TEST_CASE("what is no UTF-8, from a client or from a worker, leaves every line of JSON whole") {
  const play::Folder folder;
  folder.write("raw.py", R"(
import os, sys
sys.path.insert(0, sys.argv[1])
import worker
def story(connection, request):
    os.write(1, b"raw \xff \xc3( \xed\xa0\x80\n")
    if request.target == "/die":
        os._exit(1)
    worker.answer(connection, "ok")
worker.serve(story)
)");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[log]
access = { path = "access.log", slow = "1ms" }
[apps.app]
command = ["$PYTHON", "raw.py", "$APPS"]
)");
  for (const std::string request : {"GET /", "POST /die"}) {
    play::Peer client = play::connect(portherd.port());
    client.send(request + " HTTP/1.1\r\nHost: a\r\nUser-Agent: caf\xe9 \xff \xed\xa0\x80\r\nReferer: \xc3\r\n\r\n");
    CHECK(client.read_answer().status == (request == "GET /" ? 200 : 502));
  }
  portherd.expect_line("raw ");
  std::istringstream lines(wait_for_lines(portherd, folder, "access.log", 2));
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    const auto event = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    REQUIRE_FALSE(event.is_discarded());
    CHECK(event["user_agent"] == "caf\xef\xbf\xbd \xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
  }
  const play::Status status = portherd.wait_until("its end is known", [](const play::Status& s) {
    return !s.app("app").workers.empty() && !s.app("app").workers[0].last_exit.empty();
  });
  CHECK_FALSE(nlohmann::json::parse(status.text, nullptr, /*allow_exceptions=*/false).is_discarded());
}

TEST_CASE("combined is Apache's format") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, config(R"({ path = "access.log", format = "combined" })"));
  play::Peer client = play::connect(portherd.port());
  client.send("GET /a?b=c HTTP/1.1\r\nHost: a\r\nUser-Agent: agent \"x\" 1\r\n\r\n");
  const std::string size = std::to_string(client.read_answer().body.size());

  std::string line = wait_for_lines(portherd, folder, "access.log", 1);
  REQUIRE(line.find(']') != std::string::npos);
  mask_time(line);
  CHECK(line == R"(127.0.0.1 - - [00/Aaa/0000:00:00:00 +0000] "GET /a?b=c HTTP/1.1" 200 )" + size +
                    R"( "-" "agent \"x\" 1")" + "\n");
}

TEST_CASE("paths in skip are logged only when they fail, and off is off") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(
      folder, config(R"({ path = "access.log", format = "combined", skip = ["/healthz"] })"));
  CHECK(play::get(portherd.port(), "/healthz").status == 200);
  CHECK(play::get(portherd.port(), "/other").status == 200);
  CHECK(wait_for_lines(portherd, folder, "access.log", 1).find("/healthz") == std::string::npos);

  play::Peer client = play::connect(portherd.port());
  client.send("TRACE /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(client.read_answer().status == 405);
  CHECK(wait_for_lines(portherd, folder, "access.log", 2).find("/healthz") != std::string::npos);

  const play::Folder quiet;
  auto other = play::Supervisor::serve(quiet, config(R"("off")"));
  CHECK(play::get(other.port()).status == 200);
  CHECK(other.lines_with("GET").empty());
}

TEST_CASE("what we answer before an app is asked has an id, too") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, config(R"({ path = "access.log" })"));
  for (const char* const request : {"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/9\r\n\r\n"}) {
    play::Peer client = play::connect(portherd.port());
    client.send(request);
    CHECK(client.read_answer().status >= 400);
  }
  std::istringstream lines(wait_for_lines(portherd, folder, "access.log", 2));
  for (std::string line; std::getline(lines, line);) CHECK(nlohmann::json::parse(line)["id"].get<std::string>().size() == 32);
}

TEST_CASE("an event comes when the client has taken the last byte, or has left it") {
  namespace h2 = play::h2;
  constexpr std::size_t kWindow = 65535, kSize = 75'000;  // the rest waits in the front, which is done with the app
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[log]
access = { path = "access.log" }
[apps.app]
proxy = ["unix:app.sock"]
)");
  for (const bool takes_all : {true, false}) {
    CAPTURE(takes_all);
    const auto lines_before = static_cast<long>(std::ranges::count(folder.read("access.log"), '\n'));
    h2::Client client(play::connect(portherd.port()));
    const auto ask = [&](std::uint32_t stream, const char* path) {
      client.send(h2::frame(h2::kHeaders, h2::kLast, stream,
                            h2::block({{":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", path}})));
    };
    ask(1, "/large");
    play::Peer worker = app.accept();
    worker.read_head();
    worker.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kSize) + "\r\n\r\n" + std::string(kSize, 'x'));
    portherd.wait_until("the app has been heard", [](const play::Status& s) { return s.app("app").busy == 0; });
    ask(3, "/small");
    worker.read_head();
    worker.send("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    CHECK(client.next(h2::kHeaders, 3).status() == 204);
    wait_for_lines(portherd, folder, "access.log", lines_before + 1);
    if (takes_all) {
      for (const std::uint32_t stream : {0U, 1U}) client.send(h2::frame(h2::kWindow, h2::kNone, stream, h2::number(kSize)));
    } else {
      client.send(h2::frame(h2::kReset, h2::kNone, 1, h2::number(h2::kCancel)));
    }
    std::istringstream lines(wait_for_lines(portherd, folder, "access.log", lines_before + 2));
    std::string small, large;
    for (long i = 0; i <= lines_before; ++i) std::getline(lines, small);
    std::getline(lines, large);
    CHECK(nlohmann::json::parse(small)["path"] == "/small");
    const auto event = nlohmann::json::parse(large);
    CHECK(event["path"] == "/large");
    CHECK(event["status"] == 200);
    CHECK(event["outcome"] == (takes_all ? "ok" : "client: client went away"));
    CHECK(event["bytes_out"] == (takes_all ? kSize : kWindow));
  }
}

TEST_CASE("a slow request is told in the error log, too") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[log]
access = { path = "access.log", slow = "1ms", skip = ["/slow"] }
[apps.app]
proxy = ["unix:app.sock"]
)");
  ask_slowly(portherd, app);
  const auto event = nlohmann::json::parse(wait_for_lines(portherd, folder, "access.log", 1));
  const std::string line = portherd.expect_line("slow request");
  for (const std::string& part : {"id=" + event["id"].get<std::string>(), std::string("app=app"), std::string("path=/slow "),
                                  std::string("status=200"), std::string("outcome=ok")}) {
    CAPTURE(part);
    CHECK(line.find(part) != line.npos);
  }
}

TEST_CASE("USR1 reopens: a renamed log gets nothing more, the new one everything") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, config(R"({ path = "access.log", format = "combined" })"));
  CHECK(play::get(portherd.port(), "/before").status == 200);
  wait_for_lines(portherd, folder, "access.log", 1);
  std::filesystem::rename(folder / "access.log", folder / "access.log.1");
  std::filesystem::rename(folder / "error.log", folder / "error.log.1");

  portherd.signal(SIGUSR1);
  portherd.wait_until("both logs are there again", [&](const play::Status&) {
    return std::filesystem::exists(folder / "access.log") && std::filesystem::exists(folder / "error.log");
  });
  // The front may still have the old one for a moment: an event is in the one or the other, never lost.
  int asked = 0;
  portherd.wait_until("the new log is written", [&](const play::Status&) {
    CHECK(play::get(portherd.port(), "/after").status == 200);
    ++asked;
    return !folder.read("access.log").empty();
  });
  portherd.wait_until("every event is in a log", [&](const play::Status&) {
    const std::string all = folder.read("access.log.1") + folder.read("access.log");
    return std::count(all.begin(), all.end(), '\n') == asked + 1;
  });
}

TEST_CASE("after USR1 the front's own lines are in the new error log, too") {
  const play::Folder folder;
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[log]
error = { path = "error.log" }
access = { path = "access.log", slow = "1ms" }
[apps.app]
proxy = ["unix:app.sock"]
)");
  const auto is_told = [&] { return folder.read("error.log").find("slow request") != std::string::npos; };
  ask_slowly(portherd, app);
  portherd.wait_until("it is told", [&](const play::Status&) { return is_told(); });
  std::filesystem::rename(folder / "error.log", folder / "error.log.1");
  portherd.signal(SIGUSR1);
  portherd.wait_until("the log is there again", [&](const play::Status&) { return std::filesystem::exists(folder / "error.log"); });
  portherd.wait_until("a slow request is told there", [&](const play::Status&) {
    ask_slowly(portherd, app);
    return is_told();
  });
}

TEST_CASE("what a worker says on stdout and stderr is marked with app and worker") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.shop]
command = ["$PYTHON", "$APPS/who.py"]
workers = 2
)");
  portherd.wait_ready();
  const std::vector<std::string> lines = portherd.lines_with("started ");
  REQUIRE(lines.size() == 2);
  for (const std::string& line : lines) CHECK(line.find("shop") != std::string::npos);
  CHECK(lines[0] != lines[1]);
}
