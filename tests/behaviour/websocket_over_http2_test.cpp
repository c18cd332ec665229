// RFC 8441: a WebSocket is one stream among others. To the app it is the handshake of RFC 6455.
#include <openssl/evp.h>

#include "play_h2.h"

namespace {

using namespace play::h2;

std::string connect_for(const std::string& protocol) {
  return frame(kHeaders, kEndHeaders, 1,
               block({{":method", "CONNECT"},
                      {":protocol", protocol},
                      {":scheme", "https"},
                      {":authority", "a"},
                      {":path", "/chat?room=1"},
                      {"sec-websocket-version", "13"},
                      {"sec-websocket-protocol", "chat"}}));
}
std::string data(std::string_view bytes, std::uint8_t flags = kNone) {
  return frame(kData, flags, 1, bytes);
}

/// RFC 6455 4.2.2.
std::string accept_to(const std::string& key) {
  const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char digest[EVP_MAX_MD_SIZE], base64[64];
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha1(), nullptr);
  const int length = EVP_EncodeBlock(base64, digest, static_cast<int>(size));
  return {base64, base64 + length};
}
std::string switched(const std::string& accept) {
  return "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
         ("Sec-WebSocket-Accept: " + accept) + "\r\nSec-WebSocket-Protocol: chat\r\n\r\n";
}

struct Play {
  explicit Play(bool is_tls = true, const std::string& more = "") {
    folder.certificate("localhost");
    app.emplace(folder, "app.sock");
    portherd.reset(new play::Supervisor(play::Supervisor::serve(folder, more + play::kPlainAndTls)));
    client.emplace(is_tls ? play::connect_tls(portherd->tls_port(), "localhost", "h2")
                          : play::connect(portherd->port()));
  }
  /// From the request to the app's agreement.
  play::Peer open(std::string_view with_it = {}) {
    client->send(connect_for("websocket") + std::string(with_it));
    play::Peer worker = app->accept();
    worker.send(switched(accept_to(play::field_of(worker.read_head(), "Sec-WebSocket-Key"))));
    CHECK(client->next(kHeaders, 1).status() == 200);
    return worker;
  }
  play::Folder folder;
  std::optional<play::App> app;
  std::unique_ptr<play::Supervisor> portherd;
  std::optional<Client> client;
};

}  // namespace

TEST_CASE("a WebSocket over HTTP/2 is the usual handshake to the app, and 101 is 200 to the client") {
  Play play;
  // The client is so sure that its first frame comes with the handshake.
  play.client->send(connect_for("websocket") + data("\x81\x85....hello"));
  play::Peer worker = play.app->accept();
  const std::string head = worker.read_head();
  CHECK(head.starts_with("GET /chat?room=1 HTTP/1.1\r\nHost: a\r\n"));
  CHECK(play::field_of(head, "Upgrade") == "websocket");
  CHECK(play::field_of(head, "Connection") == "Upgrade");
  CHECK(play::field_of(head, "Sec-WebSocket-Version") == "13");
  CHECK(play::field_of(head, "Sec-WebSocket-Protocol") == "chat");
  CHECK(play::field_of(head, "Content-Length").empty());
  CHECK(play::field_of(head, "Transfer-Encoding").empty());
  const std::string key = play::field_of(head, "Sec-WebSocket-Key");
  CHECK(key.size() == 24);

  worker.send(switched(accept_to(key)) + "\x81\x02hi");
  const Frame answer = play.client->next(kHeaders, 1);
  CHECK(play.client->setting(8) == 1);  // SETTINGS_ENABLE_CONNECT_PROTOCOL
  CHECK(answer.status() == 200);
  CHECK_FALSE(answer.has(kEndStream));
  CHECK(answer.field("sec-websocket-protocol") == "chat");
  for (const char* const name : {"sec-websocket-accept", "upgrade", "connection", "content-length"}) {
    CAPTURE(name);
    CHECK(answer.field(name).empty());
  }
  CHECK(play.client->next(kData, 1).payload == "\x81\x02hi");
  CHECK(worker.read(11) == "\x81\x85....hello");
  play.client->send(data("\x81\x85....again"));
  CHECK(worker.read(11) == "\x81\x85....again");
}

TEST_CASE("without TLS it is the same") {
  Play play(/*is_tls=*/false);
  play::Peer worker = play.open(data("first"));
  CHECK(worker.read(5) == "first");
}

TEST_CASE("each side of a WebSocket over HTTP/2 ends on its own") {
  Play play;
  SUBCASE("the client first") {
    play::Peer worker = play.open(data("bye", kEndStream));
    CHECK(worker.read_to_end() == "bye");
    worker.send("so long");
    worker.close();
    CHECK(play.client->body(1) == "so long");
  }
  SUBCASE("the app first") {
    play::Peer worker = play.open();
    worker.send("bye");
    worker.shut_writing();
    CHECK(play.client->body(1) == "bye");
    play.client->send(data("so ") + data("long", kEndStream));
    CHECK(worker.read_to_end() == "so long");
  }
  SUBCASE("the client by a reset") {
    play::Peer worker = play.open();
    play.client->send(frame(kReset, kNone, 1, number(kCancel)));
    CHECK(worker.is_closed_by_peer());
  }
  SUBCASE("the app by a reset") {
    play::Peer worker = play.open();
    worker.send("bye");
    CHECK(play.client->next(kData, 1).payload == "bye");
    play.client->send(data("unread"));
    worker.wait_for_bytes();
    worker.close();  // with bytes unread: on a Unix socket, too, that is a reset
    CHECK(play.client->next(kData, 1).has(kEndStream));
  }
  // The connection goes on, whatever became of the stream.
  play.client->send(frame(kPing, kNone, 0, "12345678"));
  CHECK(play.client->next(kPing, 0).payload == "12345678");
}

TEST_CASE("an app that does not agree as RFC 6455 says has not agreed") {
  Play play;
  play.client->send(connect_for("websocket") + data("GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"));
  play::Peer worker = play.app->accept();
  const std::string key = play::field_of(worker.read_head(), "Sec-WebSocket-Key");
  int status = 502;
  SUBCASE("with an answer to another key") {
    worker.send(switched(accept_to("dGhlIHNhbXBsZSBub25jZQ==")));
  }
  SUBCASE("without an answer to the key") {
    worker.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  }
  SUBCASE("as if nobody had asked for a WebSocket") {
    worker.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
  }
  SUBCASE("for a reason that the client may know") {
    status = 403;
    worker.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
  }
  CHECK(play.client->next(kHeaders, 1).status() == status);
  // Nothing of what the client said behind the handshake has reached the app as anything.
  play.client->send(
      frame(kHeaders, kLast, 3,
            block({{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/next"}})));
  std::string next;
  if (status == 403) {
    next = worker.read_head();
  } else {
    CHECK(worker.is_closed_by_peer());
    worker = play.app->accept();
    next = worker.read_head();
  }
  CHECK(next.starts_with("GET /next HTTP/1.1\r\n"));
  worker.send("HTTP/1.1 204 No Content\r\n\r\n");
  CHECK(play.client->next(kHeaders, 3).status() == 204);
}

TEST_CASE("no other protocol is spoken over CONNECT") {
  Play play;
  play.client->send(connect_for("connect-udp"));
  CHECK(play.client->next(kHeaders, 1).status() == 501);
  CHECK_FALSE(play.app->has_visitor());
}

TEST_CASE("at the end of a drain a WebSocket is closed with 1012 and its stream ended; other streams are reset") {
  Play play(/*is_tls=*/true, "[front]\ndrain_timeout = \"300ms\"\n");
  play::Peer worker = play.open();
  play.client->send(
      frame(kHeaders, kLast, 3,
            block({{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/late"}})));
  play::Peer late = play.app->accept();
  late.read_head();

  play.portherd->signal(SIGTERM);
  bool is_late_reset = false, has_ended = false;
  std::string said;
  while (const auto next = play.client->next_or_end()) {
    is_late_reset = is_late_reset || (next->type == kReset && next->stream == 3);
    if (next->type != kData || next->stream != 1) continue;
    said += next->payload;
    has_ended = next->has(kEndStream);
    if (has_ended) play.client->send(data("\x88\x82\x01\x02\x03\x04\x02\xf6", kEndStream));
  }
  CHECK(said == "\x88\x02\x03\xf4");
  CHECK(has_ended);
  CHECK(is_late_reset);
  CHECK(worker.is_closed_by_peer());
  CHECK(late.is_closed_by_peer());
  play.client->peer().close();
  CHECK(play.portherd->wait_exit() == 0);
}
