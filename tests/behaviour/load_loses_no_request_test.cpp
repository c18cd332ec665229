#include "load.h"
#include "play.h"

namespace {
constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
https = ["127.0.0.1:$TLS"]
[tls]
certificates = "tls"
[log]
access = "off"
[apps.hello]
wsgi = "hello:app"
python = "$PYTHON"
workers = 2
plain_http = "serve"
)";
constexpr const char* kHello = R"(
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "6")])
    return [b"hello\n"]
)";
}  // namespace

TEST_CASE("HTTP/2 over TLS, 32 connections of 16 streams: every request is answered") {
  const play::Folder folder;
  folder.certificate("localhost");
  folder.write("hello.py", kHello);
  auto portherd = play::Supervisor::serve(folder, kConfig);
  portherd.wait_ready();
  const std::uint64_t count = play::scaled(100'000);

  const std::string url = "https://localhost:" + std::to_string(portherd.tls_port()) + "/";
  const play::Load load =
      play::to_load(play::run({"h2load", "-n", std::to_string(count), "-c", "32", "-m", "16", url}));
  CHECK(load.succeeded == count);
  CHECK(load.answered_2xx == count);
  CHECK(load.failed == 0);
  CHECK(portherd.status().app("hello").served == count);
}

TEST_CASE("HTTP/1.1 with 64 connections: every request is answered") {
  const play::Folder folder;
  folder.certificate("localhost");
  folder.write("hello.py", kHello);
  auto portherd = play::Supervisor::serve(folder, kConfig);
  portherd.wait_ready();
  const std::uint64_t count = play::scaled(100'000);

  const std::string url = "http://127.0.0.1:" + std::to_string(portherd.port()) + "/";
  const play::Load load =
      play::to_load(play::run({"h2load", "--h1", "-n", std::to_string(count), "-c", "64", url}));
  CHECK(load.answered_2xx == count);
  CHECK(load.failed == 0);
  CHECK(portherd.status().app("hello").failed == 0);
}
