#include <thread>

#include "play.h"

namespace {

constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
https = ["127.0.0.1:$TLS"]
[tls]
certificates = "tls"
[log]
access = "stderr"
[apps.app]
proxy = ["unix:app.sock"]
plain_http = "serve"
)";
constexpr std::size_t kMostBody = 64UL << 20;  // max_body, unless the app says otherwise

/// In which no two blocks are alike: what is left out, or comes twice, is noticed.
std::string body_of(std::size_t size) {
  std::string body;
  body.reserve(size + 16);
  for (std::size_t i = 0; body.size() < size; ++i) body += std::to_string(i) + '\n';
  body.resize(size);
  return body;
}

/// The status that curl has got for a file, sent by its length or without one.
std::string upload(const play::Supervisor& portherd, const std::string& file, const std::string& version, bool has_length) {
  const std::string url = version == "--http2" ? "https://127.0.0.1:" + std::to_string(portherd.tls_port()) + "/"
                                               : "http://127.0.0.1:" + std::to_string(portherd.port()) + "/";
  const std::string source = has_length ? "-T '" + file + "'" : "-T - < '" + file + "'";
  return play::run({"sh", "-c", "curl -sk " + version + " -o /dev/null -w '%{http_code}' " + url + " " + source}).out;
}

}  // namespace

TEST_CASE("a body of max_body bytes comes to the app whole, with its length, and one byte more is 413") {
  const play::Folder folder;
  folder.certificate("localhost");
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  const std::string body = body_of(kMostBody + 1);
  for (const std::string version : {"--http1.1", "--http2"}) {
    for (const bool has_length : {true, false}) {
      CAPTURE(version);
      CAPTURE(has_length);
      for (const std::size_t size : {kMostBody - 1, kMostBody}) {
        const std::string file = folder.write("body", std::string_view(body).substr(0, size));
        std::string status;
        std::thread client([&] { status = upload(portherd, file, version, has_length); });
        play::Peer worker = app.accept();
        CHECK(play::field_of(worker.read_head(), "Content-Length") == std::to_string(size));
        CHECK(worker.read(size) == std::string_view(body).substr(0, size));
        worker.send("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
        client.join();
        CHECK(status == "204");
      }
      CHECK(upload(portherd, folder.write("body", body), version, has_length) == "413");
      CHECK_FALSE(app.has_visitor());
    }
  }
}

TEST_CASE("no worker is held while a large body is on its way") {
  const play::Folder folder;
  folder.certificate("localhost");
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  const std::string body = body_of(1 << 20);
  play::Peer client = play::connect(portherd.port());
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n");
  client.send(std::string_view(body).substr(0, body.size() - 1));
  // Somebody else is served meanwhile, and is the only visitor.
  play::Peer other = play::connect(portherd.port());
  other.send("GET /other HTTP/1.1\r\nHost: a\r\n\r\n");
  {
    play::Peer worker = app.accept();
    CHECK(worker.read_head().starts_with("GET /other "));
    worker.send("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    CHECK(other.read_answer().status == 204);
    CHECK_FALSE(app.has_visitor());
  }
  client.send(std::string_view(body).substr(body.size() - 1));
  client.shut_writing();  // with the last byte: it is still to be answered
  play::Peer worker = app.accept();
  worker.read_head();
  CHECK(worker.read(body.size()) == body);
  worker.send("HTTP/1.1 204 No Content\r\n\r\n");
  CHECK(client.read_answer().status == 204);
}
