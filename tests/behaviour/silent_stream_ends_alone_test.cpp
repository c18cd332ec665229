#include <atomic>
#include <optional>
#include <thread>

#include "play_h2.h"

namespace {

constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[log]
access = "off"
[apps.app]
command = ["$PYTHON", "$APPS/streams.py"]
stream_timeout = "3s"
request_timeout = "60s"
)";

std::string get(const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

std::string h2_get(const std::string& path, std::uint32_t stream) {
  using namespace play::h2;
  return frame(kHeaders, kLast, stream,
               block({{":method", "GET"}, {":scheme", "http"}, {":path", path}, {":authority", "a"}}));
}

/// Asks the worker to say something on its speaking streams, until `is_over`; how often it did, to one each
/// time.
struct Talk {
  int answered = 0, others = 0;
  void until(const play::Supervisor& portherd, const std::atomic<bool>& is_over,
             const std::function<void()>& heard) {
    play::Peer client = play::connect(portherd.port());
    while (!is_over) {
      client.send(get("/say"));
      const play::Answer answer = client.read_answer();
      answer.status == 200 && answer.body == "1" ? ++answered : ++others;
      heard();
    }
  }
};

}  // namespace

TEST_CASE(
    "a silent event stream ends alone: its worker's other stream and requests go on, and nobody is "
    "replaced") {
  const play::Folder folder;
  auto portherd = play::Supervisor::serve(folder, kConfig);
  const pid_t pid = portherd.wait_ready().app("app").workers.at(0).pid;
  const std::string event = "data: " + std::to_string(pid) + "\n\n";
  std::atomic<bool> is_over = false;
  Talk talk;
  std::optional<play::Peer> speaking;  // stay until the end
  std::optional<play::h2::Client> client;

  SUBCASE("over HTTP/1.1") {
    speaking.emplace(play::connect(portherd.port()));
    speaking->send(get("/events"));
    CHECK(speaking->read_head().starts_with("HTTP/1.1 200 "));
    const std::string chunk =
        speaking->read(event.size() + 5);  // of less than 16 bytes: "f\r\n" before, "\r\n" behind
    CHECK(chunk.find(event) != std::string::npos);
    play::Peer silent = play::connect(portherd.port());
    silent.send(get("/silent"));
    play::Answer cut;
    std::thread reads([&] {
      cut = silent.read_answer();
      is_over = true;
    });
    talk.until(portherd, is_over, [&] { CHECK(speaking->read(chunk.size()) == chunk); });
    reads.join();
    CHECK(cut.body == event);
    CHECK_FALSE(cut.is_whole);
  }
  SUBCASE("over one connection of HTTP/2") {
    using namespace play::h2;
    client.emplace(play::connect(portherd.port()), setting(4, 1U << 30));  // SETTINGS_INITIAL_WINDOW_SIZE
    client->send(frame(kWindow, 0, 0, number(1U << 30)));
    client->send(h2_get("/events", 1));
    CHECK(client->next(kData, 1).payload == event);
    client->send(h2_get("/silent", 3));
    CHECK(client->next(kData, 3).payload == event);
    talk.until(portherd, is_over, [&] {
      Frame frame = client->next();
      if (frame.stream == 3) {
        CHECK(frame.type == kReset);
        is_over = true;
        frame = client->next();
      }
      CHECK(frame.stream == 1);
      CHECK(frame.payload == event);
    });
  }
  CHECK(talk.answered > 0);
  CHECK(talk.others == 0);
  portherd.expect_line("/silent has been left");
  CHECK(portherd.lines_with("/events has been left").empty());
  const play::Status status =
      portherd.wait_until("the speaking stream is all that is left",
                          [](const play::Status& now) { return now.app("app").busy == 1; });
  CHECK(status.app("app").workers.size() == 1);
  CHECK(status.app("app").workers.at(0).pid == pid);
  CHECK(status.app("app").workers.at(0).last_exit.empty());
  CHECK(portherd.lines_with("where a stuck worker is").empty());
}
