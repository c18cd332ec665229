// An app may answer before it has read the request to its end: 403 to an upload, say. The client gets the
// answer, and may go on with its body to the end, which nobody waits for any more (RFC 9113 8.1).
#include <filesystem>
#include <thread>

#include "play_h2.h"

namespace {

using namespace play::h2;

constexpr const char* kConfig = R"(
[front]
max_streams = 2
[listen]
http = ["127.0.0.1:$PORT"]
https = ["127.0.0.1:$TLS"]
[tls]
certificates = "tls"
[apps.app]
proxy = ["unix:app.sock"]
stream_body = true
plain_http = "serve"
)";

struct Play {
  Play() {
    folder.certificate("localhost");
    app.emplace(folder, "app.sock");
    portherd.reset(new play::Supervisor(play::Supervisor::serve(folder, kConfig)));
  }
  /// POST, of which 5 bytes come; the app answers.
  void answer_early(Client& client, std::uint32_t stream) {
    client.send(head(stream, "POST", kEndHeaders) + frame(kData, kNone, stream, "hello"));
    play::Peer worker = app->accept();
    worker.read_head();
    worker.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
    CHECK(client.next(kHeaders, stream).status() == 403);
    CHECK(client.body(stream) == "no");
  }
  /// No other frame comes before the answer to another request, whose worker is free again.
  void goes_on(Client& client, std::uint32_t stream) {
    client.send(head(stream, "GET", kLast));
    play::Peer worker = app->accept();
    worker.read_head();
    worker.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes");
    const Frame answer = client.next();
    CHECK(answer.stream == stream);
    CHECK(answer.status() == 200);
    CHECK(client.body(stream) == "yes");
  }
  static std::string head(std::uint32_t stream, const char* method, std::uint8_t flags) {
    return frame(kHeaders, flags, stream,
                 block({{":method", method}, {":scheme", "http"}, {":authority", "a"}, {":path", "/"}}));
  }

  play::Folder folder;
  std::optional<play::App> app;
  std::unique_ptr<play::Supervisor> portherd;
};

}  // namespace

TEST_CASE("an answer before the end of the body resets nothing, and the rest is forgotten") {
  Play play;
  Client client(play::connect(play.portherd->port()));
  play.answer_early(client, 1);
  play.goes_on(client, 3);
  // More than the windows of stream and connection were: both are opened while nobody reads it.
  const std::string piece(16'384, 'x');
  for (std::size_t sent = 5; sent < 3 << 20; sent += piece.size()) {
    client.wait_for_window(0, sent + piece.size());
    client.wait_for_window(1, sent + piece.size());
    client.send(frame(kData, kNone, 1, piece));
  }
  client.send(frame(kData, kEndStream, 1));
  play.goes_on(client, 5);
}

TEST_CASE("a client that then sends nothing more, and does not end its request, is told to stop") {
  Play play;
  Client client(play::connect(play.portherd->port()));
  play.answer_early(client, 1);
  CHECK(client.next(kReset, 1).number() == kNoError);
  play.goes_on(client, 3);
}

TEST_CASE("a stream whose request has not ended is one of max_streams, answered or not") {
  Play play;
  Client client(play::connect(play.portherd->port()));
  play.answer_early(client, 1);
  play.answer_early(client, 3);
  client.send(frame(kData, kEndStream, 1));
  play.answer_early(client, 5);
  client.send(Play::head(7, "GET", kLast));
  CHECK(client.next().type == kGoaway);
  CHECK_FALSE(play.app->has_visitor());
}

TEST_CASE("curl takes an answer to an upload that it has not finished for what it is") {
  Play play;
  struct {
    const char* says;
    const char* status;
    std::uintmax_t size;
  } const answers[] = {
      {"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", "403", 16 << 20},
      {"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno", "413", 16 << 20},
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno", "200", 900 << 10},
  };
  for (const bool is_tls : {false, true}) {
    const std::string url = is_tls ? "https://127.0.0.1:" + std::to_string(play.portherd->tls_port()) + "/"
                                   : "http://127.0.0.1:" + std::to_string(play.portherd->port()) + "/";
    for (const auto& answer : answers) {
      const std::string status = answer.status;
      CAPTURE(is_tls);
      CAPTURE(status);
      play.folder.write("zeros", "");
      std::filesystem::resize_file(play.folder / "zeros", answer.size);
      play::Ended curl;
      std::thread client([&] {
        curl = play::run({"curl", "-sS", "-k", is_tls ? "--http2" : "--http2-prior-knowledge", "-T",
                          play.folder / "zeros", "-w", " %{http_version} %{http_code}", url});
      });
      play::Peer worker = play.app->accept();
      worker.read_head();
      worker.send(answer.says);
      client.join();
      CHECK(curl.err == "");
      CHECK(curl.out == "no 2 " + status);
      CHECK(curl.status == 0);
    }
  }
}
