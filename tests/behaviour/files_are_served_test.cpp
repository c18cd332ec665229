// A `files` route: what is asked for comes, what is hidden or outside does not, and the app keeps the rest.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "play.h"

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSite = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[log]
access = { path = "access.log" }
[apps.site]
[[apps.site.routes]]
path = "/static/"
files = "static"
)";

/// Changed last at 784111777, Sun, 06 Nov 1994 08:49:37 GMT.
void write_old(const play::Folder& folder, std::string_view name, std::string_view text) {
  const std::string file = folder.write(name, text);
  const timespec times[2] = {{784111777, 0}, {784111777, 0}};
  REQUIRE(::utimensat(AT_FDCWD, file.c_str(), times, 0) == 0);
}

play::Answer ask(std::uint16_t port, std::string_view head, std::string_view method = "GET") {
  play::Peer client = play::connect(port);
  client.send(std::string(head) + "\r\nHost: a\r\n\r\n");
  return client.read_answer(method);
}

}  // namespace

TEST_CASE("a file comes with its type, its length and its validators") {
  const play::Folder folder;
  write_old(folder, "static/a.css", "body{}\n");
  write_old(folder, "static/empty", "");
  auto portherd = play::Supervisor::serve(folder, kSite);

  const play::Answer get = ask(portherd.port(), "GET /static/a.css?v=1 HTTP/1.1");
  CHECK(get.status == 200);
  CHECK(get.body == "body{}\n");
  CHECK(get.field("Content-Type") == "text/css; charset=utf-8");
  CHECK(get.field("Content-Length") == "7");
  CHECK(get.field("Last-Modified") == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(get.field("ETag") == "\"2ebc98a1.0-7\"");
  CHECK(get.field("Accept-Ranges") == "bytes");
  CHECK(get.field("Vary").empty());
  CHECK_FALSE(get.field("Date").empty());

  const play::Answer head = ask(portherd.port(), "HEAD /static/a.css HTTP/1.1", "HEAD");
  CHECK(head.status == 200);
  CHECK(head.field("Content-Length") == "7");
  CHECK(head.field("ETag") == get.field("ETag"));

  const play::Answer empty = ask(portherd.port(), "GET /static/empty HTTP/1.1");
  CHECK(empty.status == 200);
  CHECK(empty.body.empty());
  CHECK(empty.field("Content-Length") == "0");
  CHECK(empty.field("Content-Type") == "application/octet-stream");
}

TEST_CASE("a folder answers with its index, and without one with nothing") {
  const play::Folder folder;
  folder.write("static/index.html", "<p>top");
  folder.write("static/sub/index.html", "<p>sub");
  folder.write("static/bare/a", "");
  auto portherd = play::Supervisor::serve(folder, kSite);
  CHECK(ask(portherd.port(), "GET /static/ HTTP/1.1").body == "<p>top");
  CHECK(ask(portherd.port(), "GET /static/sub/ HTTP/1.1").body == "<p>sub");
  const play::Answer without = ask(portherd.port(), "GET /static/sub?a=b HTTP/1.1");
  CHECK(without.status == 308);
  CHECK(without.field("Location") == "/static/sub/?a=b");
  CHECK(ask(portherd.port(), "GET /static/bare/ HTTP/1.1").status == 404);
  CHECK(ask(portherd.port(), "GET /static/bare HTTP/1.1").status == 404);
  CHECK(ask(portherd.port(), "GET /static/sub/index.html/ HTTP/1.1").status == 404);
}

TEST_CASE("other methods are refused, by name") {
  const play::Folder folder;
  folder.write("static/a", "a");
  auto portherd = play::Supervisor::serve(folder, kSite);
  for (const std::string method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"}) {
    CAPTURE(method);
    const play::Answer answer = ask(portherd.port(), method + " /static/a HTTP/1.1");
    CHECK(answer.status == 405);
    CHECK(answer.field("Allow") == "GET, HEAD");
  }
}

TEST_CASE("no path leads out of the folder, nor to what is hidden") {
  const play::Folder folder;
  folder.write("secret", "outside");
  folder.write("static/.env", "outside");
  folder.write("static/.git/config", "outside");
  folder.write("static/.well-known/security.txt", "open");
  folder.write("static/a", "inside");
  folder.write("static/deep/b", "inside");
  fs::create_symlink(folder / "secret", folder / "static/absolute");
  fs::create_symlink("../secret", folder / "static/relative");
  fs::create_symlink("..", folder / "static/up");
  fs::create_symlink("/proc/self/root", folder / "static/magic");
  fs::create_symlink("loop", folder / "static/loop");
  fs::create_symlink("../a", folder / "static/deep/beside");
  fs::create_symlink("deep", folder / "static/shallow");
  auto portherd = play::Supervisor::serve(folder, kSite);
  for (const std::string path : {"../secret",
                                 "%2e%2e/secret",
                                 "deep/../../secret",
                                 "..%2fsecret",
                                 "%2e%2e%2fsecret",
                                 "absolute",
                                 "relative",
                                 "up/secret",
                                 "up/",
                                 "magic/etc/passwd",
                                 "loop",
                                 ".env",
                                 "%2eenv",
                                 ".git/config",
                                 "a%00",
                                 "/a",
                                 "deep//b",
                                 "deep/./b",
                                 "a/",
                                 "a/b",
                                 "./a",
                                 "%",
                                 "\\..\\secret"}) {
    CAPTURE(path);
    const play::Answer answer = ask(portherd.port(), "GET /static/" + path + " HTTP/1.1");
    CHECK(answer.status == 404);
    CHECK(answer.body == "404 Not Found\n");
  }
  // Links that stay inside are followed.
  CHECK(ask(portherd.port(), "GET /static/deep/beside HTTP/1.1").body == "inside");
  CHECK(ask(portherd.port(), "GET /static/shallow/b HTTP/1.1").body == "inside");
  CHECK(ask(portherd.port(), "GET /static/%61 HTTP/1.1").body == "inside");
  CHECK(ask(portherd.port(), "GET /static/.well-known/security.txt HTTP/1.1").body == "open");
}

TEST_CASE("what is no file holds nobody up, and what the front may not read is said to the operator") {
  const play::Folder folder;
  folder.write("static/a", "a");
  REQUIRE(::mkfifo((folder / "static/fifo").c_str(), 0666) == 0);
  folder.write("static/locked", "a");
  REQUIRE(::chmod((folder / "static/locked").c_str(), 0) == 0);
  auto portherd = play::Supervisor::serve(folder, kSite);
  CHECK(ask(portherd.port(), "GET /static/fifo HTTP/1.1").status == 404);
  if (::geteuid() == 0) {  // then the front is somebody else
    CHECK(ask(portherd.port(), "GET /static/locked HTTP/1.1").status == 403);
    std::string log;
    portherd.wait_until("the log says why", [&](const play::Status&) {
      log = folder.read("access.log");
      return std::ranges::count(log, '\n') == 2;
    });
    CHECK(log.find(R"("status":403,)") != log.npos);
    CHECK(log.find(R"("outcome":"us: file cannot be read by the front's user")") != log.npos);
  }
}

TEST_CASE("an unchanged file is not sent again") {
  const play::Folder folder;
  write_old(folder, "static/a.txt", "hello");
  auto portherd = play::Supervisor::serve(folder, kSite);
  play::Peer client = play::connect(portherd.port());
  client.send("GET /static/a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string tag = client.read_answer().field("ETag");
  CHECK(tag == "\"2ebc98a1.0-5\"");

  client.send("GET /static/a.txt HTTP/1.1\r\nHost: a\r\nIf-None-Match: " + tag + "\r\n\r\n");
  const play::Answer same = client.read_answer();
  CHECK(same.status == 304);
  CHECK(same.field("ETag") == tag);
  CHECK(same.field("Content-Length").empty());
  client.send(
      "GET /static/a.txt HTTP/1.1\r\nHost: a\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n");
  CHECK(client.read_answer().status == 304);
  client.send("GET /static/a.txt HTTP/1.1\r\nHost: a\r\nIf-Match: \"x\"\r\n\r\n");
  CHECK(client.read_answer().status == 412);

  write_old(folder, "static/a.txt", "hello, world");
  client.send("GET /static/a.txt HTTP/1.1\r\nHost: a\r\nIf-None-Match: " + tag + "\r\n\r\n");
  CHECK(client.read_answer().body == "hello, world");  // and the connection is good
}

TEST_CASE("a part of a file is sent as a part") {
  const play::Folder folder;
  std::string text(200'000, 'x');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i / 1000 % 26);
  write_old(folder, "static/a.bin", text);
  auto portherd = play::Supervisor::serve(folder, kSite);
  play::Peer client = play::connect(portherd.port());

  client.send("GET /static/a.bin HTTP/1.1\r\nHost: a\r\nRange: bytes=1000-100999\r\n\r\n");
  const play::Answer part = client.read_answer();
  CHECK(part.status == 206);
  CHECK(part.field("Content-Range") == "bytes 1000-100999/200000");
  CHECK(part.field("Content-Length") == "100000");
  CHECK(part.body == text.substr(1000, 100'000));

  client.send("GET /static/a.bin HTTP/1.1\r\nHost: a\r\nRange: bytes=-7\r\nIf-Range: " + part.field("ETag") +
              "\r\n\r\n");
  CHECK(client.read_answer().body == text.substr(text.size() - 7));

  client.send("GET /static/a.bin HTTP/1.1\r\nHost: a\r\nRange: bytes=-7\r\nIf-Range: \"another\"\r\n\r\n");
  CHECK(client.read_answer().body == text);

  client.send("GET /static/a.bin HTTP/1.1\r\nHost: a\r\nRange: bytes=200000-\r\n\r\n");
  const play::Answer none = client.read_answer();
  CHECK(none.status == 416);
  CHECK(none.field("Content-Range") == "bytes */200000");

  client.send("GET /static/a.bin HTTP/1.1\r\nHost: a\r\nRange: bytes=0-1,5-6\r\n\r\n");
  CHECK(client.read_answer().body == text);
}

TEST_CASE("a coded sibling goes to those who take it, and caches are told") {
  const play::Folder folder;
  write_old(folder, "static/a.js", "plain plain plain");
  write_old(folder, "static/a.js.br", "(brotli)");
  write_old(folder, "static/a.js.gz", "(gzip)");
  folder.write("static/stale.js", "new");
  write_old(folder, "static/stale.js.gz", "of the old one");
  auto portherd = play::Supervisor::serve(folder, kSite);
  const auto get = [&](const std::string& name, const std::string& accepted) {
    return ask(portherd.port(), "GET /static/" + name + " HTTP/1.1\r\nAccept-Encoding: " + accepted);
  };
  const play::Answer brotli = get("a.js", "gzip, deflate, br");
  CHECK(brotli.body == "(brotli)");
  CHECK(brotli.field("Content-Encoding") == "br");
  CHECK(brotli.field("Content-Type") == "text/javascript; charset=utf-8");
  CHECK(brotli.field("Vary") == "Accept-Encoding");
  CHECK(brotli.field("ETag") == "\"2ebc98a1.0-8-br\"");
  const play::Answer gzip = get("a.js", "gzip");
  CHECK(gzip.body == "(gzip)");
  CHECK(gzip.field("Content-Encoding") == "gzip");
  CHECK(get("a.js", "br;q=0.1, gzip").body == "(gzip)");
  const play::Answer plain = get("a.js", "br;q=0, gzip;q=0");
  CHECK(plain.body == "plain plain plain");
  CHECK(plain.field("Content-Encoding").empty());
  CHECK(plain.field("Vary") == "Accept-Encoding");
  CHECK(ask(portherd.port(), "GET /static/a.js HTTP/1.1").body == "plain plain plain");

  const play::Answer same = get("a.js", "br\r\nIf-None-Match: " + brotli.field("ETag"));
  CHECK(same.status == 304);
  CHECK(same.field("Vary") == "Accept-Encoding");
  CHECK(get("a.js", "gzip\r\nIf-None-Match: " + brotli.field("ETag")).status == 200);
  CHECK(get("a.js", "br\r\nRange: bytes=1-6").body == "brotli");

  CHECK(get("stale.js", "gzip").body == "new");
  CHECK(get("stale.js", "gzip").field("Vary").empty());
  const play::Answer itself = get("a.js.gz", "gzip");
  CHECK(itself.body == "(gzip)");
  CHECK(itself.field("Content-Type") == "application/gzip");
  CHECK(itself.field("Content-Encoding").empty());
}

TEST_CASE("requests behind each other are answered in order, one with a body ends the connection") {
  const play::Folder folder;
  folder.write("static/a", std::string(100'000, 'a'));
  folder.write("static/b", "b");
  auto portherd = play::Supervisor::serve(folder, kSite);
  play::Peer client = play::connect(portherd.port());
  client.send(
      "GET /static/a HTTP/1.1\r\nHost: a\r\n\r\nGET /static/b HTTP/1.1\r\nHost: a\r\n\r\n"
      "HEAD /static/a HTTP/1.1\r\nHost: a\r\n\r\nGET /static/no HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(client.read_answer().body == std::string(100'000, 'a'));
  CHECK(client.read_answer().body == "b");
  CHECK(client.read_answer("HEAD").field("Content-Length") == "100000");
  CHECK(client.read_answer().status == 404);
  client.send("GET /static/b HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
  CHECK(client.read_answer().body == "b");
  CHECK(client.is_closed_by_peer());

  play::Peer old = play::connect(portherd.port());
  old.send("GET /static/b HTTP/1.0\r\n\r\n");
  CHECK(old.read_to_end().ends_with("\r\n\r\nb"));

  play::Peer half_closed = play::connect(portherd.port());
  half_closed.send("GET /static/a HTTP/1.1\r\nHost: a\r\n\r\n");
  half_closed.shut_writing();
  CHECK(half_closed.read_to_end().ends_with(std::string(100'000, 'a')));
}

TEST_CASE("the app has what no route has, and the event of a file names no worker") {
  const play::Folder folder;
  folder.write("static/a", "file");
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[log]
access = { path = "access.log" }
[apps.shop]
proxy = ["unix:app.sock"]
[[apps.shop.routes]]
path = "/static/"
files = "static"
)");
  CHECK(play::get(portherd.port(), "/static/a").body == "file");
  play::Peer client = play::connect(portherd.port());
  client.send("GET /statics HTTP/1.1\r\nHost: a\r\n\r\n");
  play::Peer worker = app.accept();
  CHECK(worker.read_head().starts_with("GET /statics HTTP/1.1\r\n"));
  worker.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\napp");
  CHECK(client.read_answer().body == "app");

  std::string log;
  portherd.wait_until("both events are written", [&](const play::Status&) {
    log = folder.read("access.log");
    return std::ranges::count(log, '\n') == 2;
  });
  const std::string event = log.substr(0, log.find('\n'));
  for (const std::string_view part : {R"("app":"shop")", R"("generation":null,"worker":null,"pid":null)",
                                      R"("path":"/static/a")", R"("status":200)", R"("bytes_out":4)",
                                      R"("queue_ms":0.000)", R"("attempts":0)", R"("outcome":"ok")"}) {
    CAPTURE(part);
    CHECK(event.find(part) != event.npos);
  }
}

TEST_CASE("a release that puts another folder in its place is seen at once") {
  const play::Folder folder;
  folder.write("1/a", "one");
  folder.write("2/a", "two");
  fs::create_symlink("1", folder / "static");
  auto portherd = play::Supervisor::serve(folder, kSite);
  CHECK(ask(portherd.port(), "GET /static/a HTTP/1.1").body == "one");
  fs::create_symlink("2", folder / "next");
  fs::rename(folder / "next", folder / "static");
  CHECK(ask(portherd.port(), "GET /static/a HTTP/1.1").body == "two");
}

TEST_CASE("files go over TLS and HTTP/2 as they are") {
  const play::Folder folder;
  folder.certificate("localhost");
  std::string text(3'000'000, 'x');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i % 251 % 26);
  folder.write("static/big", text);
  folder.write("static/small", "small");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
https = ["127.0.0.1:$TLS"]
[tls]
certificates = "tls"
[apps.site]
[[apps.site.routes]]
files = "static"
)");
  const std::string url = "https://localhost:" + std::to_string(portherd.tls_port());
  for (const std::string version : {"--http1.1", "--http2"}) {
    CAPTURE(version);
    const auto curl = [&](const std::string& path, play::Arguments more = {}) {
      more.insert(more.begin(), {"curl", "-sS", "-k", "--max-time", "60", version, url + path});
      return play::run(more).out;
    };
    CHECK(curl("/small") == "small");
    CHECK(curl("/big") == text);
    CHECK(curl("/big", {"-r", "1000000-1999999"}) == text.substr(1'000'000, 1'000'000));
    CHECK(curl("/nothing", {"-o", "/dev/null", "-w", "%{http_code}"}) == "404");
    CHECK(curl("/small", {"-I", "-o", "/dev/null", "-w", "%{http_code} %header{content-length}"})
              .starts_with("200"));
    CHECK(curl("/small", {"-X", "DELETE", "-o", "/dev/null", "-w", "%{http_code}"}) == "405");
  }
}
