// What a client may do with TLS once it has shaken hands.
#include "proxy/tls_stream.h"

#include <array>

#include "doctest_precompiled.h"
#include "unit/proxy/tls_peer.h"

namespace {

using runtime::Bytes;
using runtime::Io;

struct Play {
  Play() {
    REQUIRE(tls_peer::shake_hands(client, stream) == Io::kProgress);
    client.connect();
  }
  Io read() {
    std::array<char, 100> into;
    Bytes n = 0;
    const Io io = stream.read(into, n);
    if (io == Io::kProgress) text.append(into.data(), n);
    return io;
  }
  /// A KeyUpdate that asks for none in return (RFC 8446 4.6.3).
  void update_keys(int times) {
    for (int i = 0; i < times; ++i) {
      REQUIRE(SSL_key_update(client.get(), SSL_KEY_UPDATE_NOT_REQUESTED) == 1);
      REQUIRE(SSL_do_handshake(client.get()) == 1);
    }
  }

  tls_peer::Sockets sockets;
  std::unique_ptr<proxy::TlsContext> context = std::move(*proxy::TlsContext::make(
      {}, tls_peer::all(tls_peer::files("a", tls_peer::make_pair({"a", "DNS:a.example"})))));
  proxy::TlsStream stream{*context, sockets.ours.get()};
  tls_peer::Client client{sockets.theirs.get()};
  std::string text;
};

}  // namespace

TEST_CASE("keys may be updated between data, as often as there is data") {
  Play play;
  REQUIRE(play.stream.version() == "TLSv1.3");
  for (int i = 0; i < 20; ++i) {
    play.update_keys(10);
    REQUIRE(play.client.write("x") == 1);
    REQUIRE(play.read() == Io::kProgress);
  }
  CHECK(play.text == std::string(20, 'x'));
  CHECK(play.read() == Io::kWant);
}

TEST_CASE("a client that only updates its keys is read no further") {
  Play play;
  play.update_keys(100);
  REQUIRE(play.client.write("x") == 1);
  CHECK(play.read() == Io::kClosed);
  CHECK(play.read() == Io::kClosed);
  // Most of what it said has not even been looked at.
  Bytes n = 0;
  CHECK(play.stream.write("but it may be answered", n) == Io::kProgress);
  CHECK(play.client.read() == "but it may be answered");
}
