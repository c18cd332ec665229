#include "play.h"

namespace {
constexpr const char* kHello = R"(
import os
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return ["hello from {} at {}\n".format(os.getpid(), environ["PATH_INFO"]).encode()]
)";
}

TEST_CASE("run serves a WSGI app and says where") {
  const play::Folder folder;
  folder.write("hello.py", kHello);
  auto portherd = play::Supervisor::run(
      folder, {"hello:app", "--python", "$PYTHON", "--bind", "127.0.0.1:$PORT", "--workers", "2"});

  portherd.expect_line("http://127.0.0.1:" + std::to_string(portherd.port()));
  const play::Answer answer = play::get(portherd.port(), "/some%20where?x=1");
  CHECK(answer.status == 200);
  CHECK(answer.is_whole);
  CHECK(answer.field("Content-Type") == "text/plain");
  CHECK(answer.body.ends_with("at /some where\n"));
  CHECK(portherd.wait_ready().apps.at(0).workers.size() == 2);
}

TEST_CASE("run takes PORT and WEB_CONCURRENCY from the environment") {
  const play::Folder folder;
  folder.write("hello.py", kHello);
  const std::uint16_t port = play::free_port();
  auto portherd = play::Supervisor::run(folder, {"hello:app", "--python", "$PYTHON"},
                                        {{"PORT", std::to_string(port)}, {"WEB_CONCURRENCY", "3"}});

  CHECK(play::get(port).status == 200);
  CHECK(portherd.wait_ready().apps.at(0).workers.size() == 3);
}

TEST_CASE("run serves any command that can take a socket") {
  const play::Folder folder;
  auto portherd =
      play::Supervisor::run(folder, {"--bind", "127.0.0.1:$PORT", "--", "$PYTHON", "$APPS/echo.py"});

  CHECK(play::get(portherd.port(), "/here").body.starts_with("GET /here HTTP/1.1\r\n"));
}

TEST_CASE("run --tls makes a certificate once and uses it again") {
  const play::Folder folder;
  folder.write("hello.py", kHello);
  const play::Environment home = {{"HOME", folder.path()}, {"XDG_DATA_HOME", ""}};
  const play::Arguments arguments = {"hello:app", "--python",        "$PYTHON",
                                     "--bind",    "127.0.0.1:$PORT", "--tls"};
  std::string first;
  {
    auto portherd = play::Supervisor::run(folder, arguments, home);
    portherd.expect_line("https://127.0.0.1:" + std::to_string(portherd.tls_port()));
    play::Peer client = play::connect_tls(portherd.tls_port());
    client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    CHECK(client.read_answer().status == 200);
    first = client.certificate_digest();
  }
  auto portherd = play::Supervisor::run(folder, arguments, home);
  CHECK(play::connect_tls(portherd.tls_port()).certificate_digest() == first);
}
