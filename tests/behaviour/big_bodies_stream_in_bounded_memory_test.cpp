#include <filesystem>
#include <thread>

#include "play.h"

namespace {

constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
https = ["127.0.0.1:$TLS"]
[tls]
certificates = "tls"
[apps.app]
proxy = ["unix:app.sock"]
stream_body = true
max_body = "2GiB"
plain_http = "serve"
)";
// The most that the front has ever held may have grown by so little since it was `before`. A sanitizer keeps
// what was freed, so there only the bytes count. The kernel counts roughly: the most may be a little less than before.
void check_memory(pid_t front, std::uint64_t before) {
  const std::uint64_t most = play::peak_of(front);
  MESSAGE("the front grew from " << before / 1024 << " to " << most / 1024 << " KiB");
  if (!play::is_sanitized()) CHECK(most < before + (8 << 20));
}

void send_zeros(play::Peer& peer, std::size_t size) {
  const std::string zeros(256 * 1024, '\0');
  for (std::size_t sent = 0; sent < size; sent += zeros.size()) {
    peer.send(std::string_view(zeros).substr(0, std::min(zeros.size(), size - sent)));
  }
}

}  // namespace

TEST_CASE("a body of 1 GiB goes up, and one comes down, in bounded memory") {
  const play::Folder folder;
  folder.certificate("localhost");
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  const pid_t front = portherd.status().front;
  const std::size_t size = play::scaled(1UL << 30);
  std::size_t received = 0;

  SUBCASE("up") {
    play::Peer client = play::connect(portherd.port());
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n");
    play::Peer worker = app.accept();
    worker.read_head();
    const std::uint64_t before = play::peak_of(front);
    std::thread reading([&] { received = worker.discard(size); });
    send_zeros(client, size);
    reading.join();
    worker.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nthat");
    CHECK(client.read_answer().body == "that");
    CHECK(received == size);
    check_memory(front, before);
  }
  SUBCASE("down") {
    play::Peer client = play::connect(portherd.port());
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    play::Peer worker = app.accept();
    worker.read_head();
    const std::uint64_t before = play::peak_of(front);
    worker.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n");
    std::thread reading([&] {
      client.read_head();
      received = client.discard(size);
    });
    send_zeros(worker, size);
    reading.join();
    CHECK(received == size);
    check_memory(front, before);
  }
  SUBCASE("down over HTTP/2 and TLS") {
    const std::string url = "https://127.0.0.1:" + std::to_string(portherd.tls_port()) + "/";
    play::Ended curl;
    std::thread client([&] {
      curl = play::run(
          {"curl", "-sS", "-k", "--http2", "-o", "/dev/null", "-w", "%{http_version} %{size_download}", url});
    });
    play::Peer worker = app.accept();
    worker.read_head();
    const std::uint64_t before = play::peak_of(front);
    worker.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n");
    send_zeros(worker, size);
    client.join();
    CHECK(curl.out == "2 " + std::to_string(size));
    check_memory(front, before);
  }
  SUBCASE("up over HTTP/2 and TLS") {
    folder.write("zeros", "");
    std::filesystem::resize_file(folder / "zeros", size);
    const std::string url = "https://127.0.0.1:" + std::to_string(portherd.tls_port()) + "/";
    play::Ended curl;
    std::thread client([&] {
      curl = play::run({"curl", "-sS", "-k", "--http2", "-T", folder / "zeros", "-w",
                        "%{http_version} %{size_upload}", url});
    });
    play::Peer worker = app.accept();
    CHECK(play::field_of(worker.read_head(), "Content-Length") == std::to_string(size));
    const std::uint64_t before = play::peak_of(front);
    CHECK(worker.discard(size) == size);
    worker.send("HTTP/1.1 204 No Content\r\n\r\n");
    client.join();
    CHECK(curl.out == "2 " + std::to_string(size));
    check_memory(front, before);
  }
}
