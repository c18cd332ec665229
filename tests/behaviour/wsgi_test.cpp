#include <sys/stat.h>

#include "play.h"

namespace {
constexpr const char* kConfig = R"(
[listen]
http = ["127.0.0.1:$PORT"]
[apps.app]
wsgi = "shop:app"
python = "$PYTHON"
stream_body = true
)";
}

TEST_CASE("a WSGI app streams its input and its output") {
  const play::Folder folder;
  folder.write("shop.py", R"(
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    body = environ["wsgi.input"]
    while True:
        piece = body.read(5)
        if not piece:
            return
        yield piece.upper()
)");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  play::Peer client = play::connect(portherd.port());
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nfirst");
  CHECK(client.read_head().starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(client.read(10) == "5\r\nFIRST\r\n");
  client.send("again");
  CHECK(client.read(15) == "5\r\nAGAIN\r\n0\r\n\r\n");
}

TEST_CASE("an exception before the head is 500, after it the answer is cut") {
  const play::Folder folder;
  folder.write("shop.py", R"(
def app(environ, start_response):
    if environ["PATH_INFO"] == "/before":
        raise RuntimeError("before the head")
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"half"
    raise RuntimeError("after the head")
)");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  CHECK(play::get(portherd.port(), "/before").status == 500);
  portherd.expect_line("RuntimeError: before the head");
  const play::Answer cut = play::get(portherd.port(), "/after");
  CHECK(cut.body == "half");
  CHECK_FALSE(cut.is_whole);
  portherd.expect_line("RuntimeError: after the head");
}

TEST_CASE("a WSGI app sees the request as PEP 3333 says") {
  const play::Folder folder;
  folder.write("shop.py", R"(
def app(environ, start_response):
    start_response("200 OK", [])
    names = ["REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "CONTENT_LENGTH", "SERVER_NAME",
             "SERVER_PORT", "SERVER_PROTOCOL", "REMOTE_ADDR", "HTTP_HOST", "HTTP_X_ONE", "HTTP_X_FORWARDED_FOR",
             "wsgi.url_scheme", "wsgi.multithread", "wsgi.multiprocess"]
    text = "".join("%s=%s\n" % (name, environ[name]) for name in names)
    return [text.encode("latin-1"), environ["wsgi.input"].read()]
)");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  play::Peer client = play::connect(portherd.port());
  client.send(
      "POST /caf%C3%A9/x?q=%20 HTTP/1.1\r\nHost: shop.example:8080\r\nContent-Type: "
      "text/plain\r\nContent-Length: 5\r\n"
      "X-One: 1\r\nX_One: spoofed\r\n\r\nhello");
  const std::string port = std::to_string(portherd.port());  // ours that it came in at, whatever Host says
  CHECK(client.read_answer().body ==
        "REQUEST_METHOD=POST\nSCRIPT_NAME=\nPATH_INFO=/caf\xc3\xa9/x\nQUERY_STRING=q=%20\n"
        "CONTENT_TYPE=text/plain\nCONTENT_LENGTH=5\nSERVER_NAME=shop.example\nSERVER_PORT=" +
            port +
            "\nSERVER_PROTOCOL=HTTP/1.1\nREMOTE_ADDR=127.0.0.1\nHTTP_HOST=shop.example:8080\nHTTP_X_ONE=1\n"
            "HTTP_X_FORWARDED_FOR=127.0.0.1\nwsgi.url_scheme=http\nwsgi.multithread=True\nwsgi.multiprocess="
            "True\nhello");
}

TEST_CASE(
    "a client that does not send the rest of its body is not blamed for an app that is busy behind its "
    "answer") {
  const play::Folder folder;
  folder.write("shop.py", R"(
class Body:
    def __iter__(self):
        yield b"ok"

    def close(self):
        open("busy").read()  # until the test has come and gone


def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return Body() if environ["PATH_INFO"] == "/busy" else [environ["wsgi.input"].read()[:2]]
)");
  const std::string busy = folder / "busy";
  REQUIRE(::mkfifo(busy.c_str(), 0600) == 0);
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
http = ["127.0.0.1:$PORT"]
[front.clocks]
body_idle = "300ms"
[apps.app]
wsgi = "shop:app"
python = "$PYTHON"
threads = 2
stream_body = true
)");
  play::Peer client = play::connect(portherd.port()), slow = play::connect(portherd.port());
  client.send("POST /busy HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
  CHECK(client.read_answer().body == "ok");
  // Begun later, and over: so the clock that counts here has run out for both.
  slow.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
  CHECK(slow.read_answer().status == 408);
  folder.write("busy", "");
  CHECK(portherd.expect_line("\"path\":\"/busy\"").find("\"outcome\":\"ok\"") != std::string::npos);
}
