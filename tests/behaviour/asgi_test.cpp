// An ASGI app in our own worker, by real clients: HTTP/1.1, HTTP/2 and WebSockets over both, and what a restart does to them.
#include <filesystem>

#include "examples.h"
#include "play_h2.h"
#include "steady_load.h"

namespace {

using namespace play::h2;

constexpr const char* kConfig = R"(
[front]
drain_timeout = "300ms"
[listen]
http = ["127.0.0.1:$PORT"]
https = ["127.0.0.1:$TLS"]
[tls]
certificates = "tls"
[apps.app]
asgi = "shop:app"
python = "$PYTHON"
plain_http = "serve"
stream_body = true
graceful_timeout = "2s"
)";

constexpr const char* kShop = R"(
async def http(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")],
                "trailers": scope["path"] == "/summed"})
    if scope["path"] == "/headers":
        names = b" ".join(name for name, value in scope["headers"] if name.startswith(b"x") and b"forwarded" not in name)
        text = "%s %s %s %s " % (scope["http_version"], scope["scheme"], scope["path"], scope["raw_path"])
        return await send({"type": "http.response.body", "body": text.encode() + names})
    if scope["path"] == "/waits":
        await send({"type": "http.response.body", "body": b"begun", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
        print("they left", flush=True)
        return
    if scope["path"] == "/summed":
        await send({"type": "http.response.body", "body": b"123"})
        return await send({"type": "http.response.trailers", "headers": [(b"x-sum", b"6"), (b"content-length", b"1")]})
    while True:
        message = await receive()
        await send({"type": "http.response.body", "body": message["body"].upper() or b"-", "more_body": message["more_body"]})
        if not message["more_body"]:
            return


async def websocket(receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            print("closed by", message["code"], flush=True)
            return
        await send({"type": "websocket.send", "text": message["text"]})


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        print("begins", flush=True)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        print("ends", flush=True)
        return await send({"type": "lifespan.shutdown.complete"})
    await (http(scope, receive, send) if scope["type"] == "http" else websocket(receive, send))
)";

constexpr const char* kUpgrade =
    "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

struct Play {
  Play() {
    folder.certificate("localhost");
    folder.write("shop.py", kShop);
    portherd.reset(new play::Supervisor(play::Supervisor::serve(folder, kConfig)));
    portherd->wait_ready();
  }
  play::Peer open_websocket() const {
    play::Peer client = play::connect(portherd->port());
    client.send(kUpgrade);
    const std::string head = client.read_head();
    CHECK(head.starts_with("HTTP/1.1 101 "));
    CHECK(play::field_of(head, "Sec-WebSocket-Accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    CHECK(play::field_of(head, "Transfer-Encoding").empty());
    return client;
  }
  play::Folder folder;
  std::unique_ptr<play::Supervisor> portherd;
};

/// A client's text of five bytes, masked by zeros.
std::string masked(std::string_view five) { return std::string("\x81\x85\0\0\0\0", 6) + std::string(five); }

}  // namespace

TEST_CASE("an ASGI app streams both ways, and sees the request as it came") {
  Play play;
  play::Peer client = play::connect(play.portherd->port());
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nfirst");
  CHECK(client.read_head().starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(client.read(10) == "5\r\nFIRST\r\n");
  client.send("again");
  CHECK(client.read(15) == "5\r\nAGAIN\r\n0\r\n\r\n");

  client = play::connect(play.portherd->port());
  CHECK(play::get(play.portherd->port(), "/%C3%A9").body == "-");
  client.send("GET /headers HTTP/1.1\r\nHost: a\r\nX_One: 1\r\nx-one: 2\r\nX-One: 3\r\n\r\n");
  CHECK(client.read_answer().body.starts_with("1.1 http /headers b'/headers' "));
}

TEST_CASE("an ASGI app over HTTP/2") {
  Play play;
  Client client(play::connect_tls(play.portherd->tls_port(), "localhost", "h2"));
  client.send(frame(kHeaders, kEndHeaders, 1,
                    block({{":method", "POST"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}})) +
              frame(kData, kNone, 1, "first"));
  CHECK(client.next(kHeaders, 1).status() == 200);
  CHECK(client.next(kData, 1).payload == "FIRST");
  client.send(frame(kData, kEndStream, 1, "again"));
  CHECK(client.body(1) == "AGAIN");
}

TEST_CASE("trailers of an ASGI app reach who takes them") {
  Play play;
  play::Peer client = play::connect(play.portherd->port());
  client.send("GET /summed HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\n\r\n");
  client.read_head();
  CHECK(client.read(23) == "3\r\n123\r\n0\r\nx-sum: 6\r\n\r\n");
  client.send("GET /summed HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(client.read_answer().body == "123");
  Client two(play::connect_tls(play.portherd->tls_port(), "localhost", "h2"));
  two.send(frame(kHeaders, kEndHeaders | kEndStream, 1,
                 block({{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/summed"}})));
  CHECK(two.next(kHeaders, 1).status() == 200);
  CHECK(two.next(kData, 1).payload == "123");
  const auto trailers = two.next(kHeaders, 1);
  CHECK(trailers.fields == Fields{{"x-sum", "6"}});
}

TEST_CASE("an ASGI app is told when its client leaves") {
  Play play;
  play::Peer client = play::connect(play.portherd->port());
  client.send("GET /waits HTTP/1.1\r\nHost: a\r\n\r\n");
  client.read_head();
  client.read(10);
  client.reset();
  play.portherd->expect_line("they left");
  CHECK(play::get(play.portherd->port()).body == "-");
}

TEST_CASE("a WebSocket of an ASGI app") {
  Play play;
  play::Peer client = play.open_websocket();
  client.send(masked("hello"));
  CHECK(client.read(7) == "\x81\x05hello");
  SUBCASE("closed by the client") {
    client.send(std::string("\x88\x82\0\0\0\0\x03\xe8", 8));
    CHECK(client.read_to_end() == "\x88\x02\x03\xe8");
    play.portherd->expect_line("closed by 1000");
  }
  SUBCASE("broken by the client, which still hears why") {
    client.send("\x81\x01" + std::string(300'000, 'x'));
    CHECK(client.read_to_end().starts_with("\x88\x17\x03\xea" "a frame is not masked"));
    play.portherd->expect_line("closed by 1002");
  }
  SUBCASE("left without a word") {
    client.close();
    play.portherd->expect_line("closed by 1006");
  }
  CHECK(play::get(play.portherd->port()).body == "-");
}

TEST_CASE("at the end of a drain a WebSocket of an ASGI app is closed with 1012 by the front, between two of its frames") {
  Play play;
  play::Peer client = play.open_websocket();
  client.send(masked("hello"));
  CHECK(client.read(7) == "\x81\x05hello");
  play.portherd->signal(SIGTERM);
  CHECK(client.read_to_end() == "\x88\x02\x03\xf4");
  play.portherd->expect_line("closed by 1006");
  CHECK(play.portherd->wait_exit() == 0);
}

TEST_CASE("a WebSocket of an ASGI app over HTTP/2") {
  Play play;
  Client client(play::connect_tls(play.portherd->tls_port(), "localhost", "h2"));
  client.send(frame(kHeaders, kEndHeaders, 1,
                    block({{":method", "CONNECT"},
                           {":protocol", "websocket"},
                           {":scheme", "https"},
                           {":authority", "a"},
                           {":path", "/chat"},
                           {"sec-websocket-version", "13"}})) +
              frame(kData, kNone, 1, masked("hello")));
  CHECK(client.next(kHeaders, 1).status() == 200);
  CHECK(client.next(kData, 1).payload == "\x81\x05hello");
  client.send(frame(kData, kNone, 1, std::string("\x88\x82\0\0\0\0\x03\xe8", 8)));
  CHECK(client.next(kData, 1).payload == "\x88\x02\x03\xe8");
  play.portherd->expect_line("closed by 1000");
}

TEST_CASE("a restart of an ASGI app loses no request, and closes its WebSockets with 1012 when their time is over") {
  Play play;
  play::Peer client = play.open_websocket();
  play.portherd->expect_line("begins");
  play::SteadyLoad load(*play.portherd, {});
  load.wait_for(50);
  const play::Ended restarted = play::portherd({"restart", "app", "-c", play.portherd->config_file()});
  CHECK_MESSAGE(restarted.status == 0, restarted.err);
  load.wait_for(50);
  client.send(masked("still"));
  CHECK(client.read(7) == "\x81\x05still");
  CHECK(client.read(19) == "\x88\x11\x03\xf4Service Restart");
  client.send(std::string("\x88\x82\0\0\0\0\x03\xf4", 8));
  CHECK(client.is_closed_by_peer());
  play.portherd->expect_line("closed by 1012");
  play.portherd->expect_line("ends");
  load.stop_unhurt();
}

TEST_CASE("FastAPI: examples/fastapi, by its file and found without it") {
  if (play::run({play::python(), "-c", "import fastapi"}).status != 0) return;
  const play::Folder folder;
  const std::string config = play::example(folder, "fastapi");
  const auto is_served = [](play::Supervisor portherd) {
    portherd.wait_ready();
    CHECK(play::get(portherd.port(), "/items/7").body == R"({"number":7})");
    CHECK(play::get(portherd.port(), "/items/x").status == 422);
    play::Peer client = play::connect(portherd.port());
    client.send(kUpgrade);
    CHECK(client.read_head().starts_with("HTTP/1.1 101 "));
    client.send(masked("hello"));
    CHECK(client.read(7) == "\x81\x05hello");
  };
  is_served(play::Supervisor::serve(folder, config));
  std::filesystem::remove(folder / "portherd.toml");
  is_served(play::Supervisor::run(folder, {"--python", "$PYTHON", "--bind", "127.0.0.1:$PORT"}));
}
