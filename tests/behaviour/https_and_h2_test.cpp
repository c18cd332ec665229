#include "play.h"

namespace {

constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
https = ["127.0.0.1:$TLS"]
[tls]
certificates = "tls"
[apps.echo]
command = ["$PYTHON", "$APPS/echo.py"]
)";

play::Ended curl(play::Arguments more) {
  more.insert(more.begin(), {"curl", "-sS", "-k", "--max-time", "60"});
  return play::run(more);
}

}  // namespace

TEST_CASE("the certificate is chosen by the name that the client asks for") {
  const play::Folder folder;
  folder.certificate("one.example");
  folder.certificate("two.example");
  auto portherd = play::Supervisor::serve(folder, kConfig);

  CHECK(play::connect_tls(portherd.tls_port(), "one.example").certificate_name() == "one.example");
  CHECK(play::connect_tls(portherd.tls_port(), "two.example").certificate_name() == "two.example");
}

TEST_CASE("ALPN chooses h2 before http/1.1, and without ALPN it is HTTP/1.1") {
  const play::Folder folder;
  folder.certificate("one.example");
  auto portherd = play::Supervisor::serve(folder, kConfig);

  CHECK(play::connect_tls(portherd.tls_port(), "one.example", "http/1.1,h2").protocol() == "h2");
  CHECK(play::connect_tls(portherd.tls_port(), "one.example", "http/1.1").protocol() == "http/1.1");
  play::Peer client = play::connect_tls(portherd.tls_port(), "one.example", "");
  client.send("GET /plain HTTP/1.1\r\nHost: one.example\r\n\r\n");
  CHECK(client.read_answer().body.starts_with("GET /plain HTTP/1.1\r\n"));
}

TEST_CASE("curl gets the same over http/1.1 and h2, with and without a body") {
  const play::Folder folder;
  folder.certificate("localhost");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  const std::string url = "https://localhost:" + std::to_string(portherd.tls_port()) + "/x";
  const std::string body(200'000, 'b');
  folder.write("body", body);

  for (const std::string version : {"--http1.1", "--http2"}) {
    const play::Ended get = curl({version, "-w", "%{http_version} %{http_code}", url});
    CHECK(get.out.starts_with("GET /x HTTP/1.1\r\n"));
    CHECK(get.out.ends_with(version == "--http2" ? "2 200" : "1.1 200"));
    const play::Ended post = curl({version, "--data-binary", "@" + (folder / "body"), url});
    CHECK(post.out.starts_with("POST /x HTTP/1.1\r\n"));
    CHECK(post.out.ends_with("\r\n\r\n" + body));
  }
}

TEST_CASE("plain http is redirected to https where there is an https listener") {
  const play::Folder folder;
  folder.certificate("localhost");
  auto portherd = play::Supervisor::serve(folder, kConfig);

  const play::Answer answer = play::get(portherd.port(), "/a?b=c");
  CHECK((answer.status == 301 || answer.status == 308));
  CHECK(answer.field("Location") == "https://localhost:" + std::to_string(portherd.tls_port()) + "/a?b=c");
}

TEST_CASE("TLS 1.1 is refused, TLS 1.2 is not") {
  const play::Folder folder;
  folder.certificate("localhost");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  const std::string url = "https://localhost:" + std::to_string(portherd.tls_port()) + "/";

  CHECK(curl({"--tls-max", "1.2", "-o", "/dev/null", "-w", "%{http_code}", url}).out == "200");
  // SECLEVEL=0: so that it is the other side that says no.
  CHECK(curl({"--tlsv1.0", "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0", url}).status == 35);
}

TEST_CASE("a secure request is told to the app as https") {
  const play::Folder folder;
  folder.certificate("localhost");
  auto portherd = play::Supervisor::serve(folder, kConfig);

  play::Peer client = play::connect_tls(portherd.tls_port());
  client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(play::field_of(client.read_answer().body, "X-Forwarded-Proto") == "https");
}
