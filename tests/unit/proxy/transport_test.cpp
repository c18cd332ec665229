// Bytes in clear over a plain socket and over TLS: what one flush and one read do.
#include "proxy/transport.h"

#include "doctest_precompiled.h"
#include "unit/proxy/tls_peer.h"

namespace {

using proxy::TlsContext;
using proxy::Transport;
using runtime::ByteQueue;
using runtime::Bytes;
using runtime::Io;
using runtime::Slice;

Slice slice_of(std::string_view text) {
  return {{}, text.data(), text.size()};
}

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i % 23);
  return text;
}

std::string read_all(int fd) {
  std::string all;
  char buffer[65536];
  for (ssize_t n = 0; (n = ::read(fd, buffer, sizeof buffer)) > 0;)
    all.append(buffer, static_cast<std::size_t>(n));
  return all;
}

/// A transport with TLS on it, hands shaken.
struct Secure {
  Secure() {
    auto made = TlsContext::make(
        {}, tls_peer::all(tls_peer::files("a", tls_peer::make_pair({"a", "DNS:a.example"}))));
    context = std::move(*made);
    transport = std::make_unique<Transport>(std::move(sockets.ours), *context);
    client = std::make_unique<tls_peer::Client>(sockets.theirs.get());
    REQUIRE(tls_peer::shake_hands(*client, *transport->tls()) == Io::kProgress);
  }
  tls_peer::Sockets sockets;
  std::unique_ptr<TlsContext> context;
  std::unique_ptr<Transport> transport;
  std::unique_ptr<tls_peer::Client> client;
};

}  // namespace

TEST_CASE("what the other side takes of a full socket is seen, although the socket is not writable yet") {
  tls_peer::Sockets sockets;
  Transport transport(std::move(sockets.ours));
  ByteQueue queue;
  const std::string large = pattern(4 << 20);
  queue.append(slice_of(large));
  CHECK_FALSE(transport.has_been_taken_from());
  REQUIRE(transport.flush(queue) == Io::kWant);
  CHECK_FALSE(transport.has_been_taken_from());

  std::string taken(64 * 1024, 0);
  REQUIRE(::recv(sockets.theirs.get(), taken.data(), taken.size(), MSG_WAITALL) > 0);
  CHECK(transport.has_been_taken_from());
  CHECK_FALSE(transport.has_been_taken_from());
  CHECK_FALSE(queue.is_empty());
}

TEST_CASE("plain: a queue of many slices arrives in order") {
  tls_peer::Sockets sockets;
  Transport transport(std::move(sockets.ours));
  const std::string large = pattern(3000);
  ByteQueue queue;
  std::string expected;
  for (int i = 0; i < 40; ++i) {
    queue.append_copy("head;");
    queue.append(slice_of(large));
    expected += "head;" + large;
  }
  CHECK(transport.flush(queue) == Io::kProgress);
  CHECK(queue.is_empty());
  CHECK(read_all(sockets.theirs.get()) == expected);
}

TEST_CASE("plain: a full socket keeps the rest in the queue, and nothing is lost or sent twice") {
  tls_peer::Sockets sockets;
  Transport transport(std::move(sockets.ours));
  const std::string text = pattern(4 * 1024 * 1024);
  ByteQueue queue;
  queue.append(slice_of(text));
  CHECK(transport.flush(queue) == Io::kWant);
  CHECK(queue.size() > 0);
  std::string came;
  for (Io io = Io::kWant; io == Io::kWant;) {
    came += read_all(sockets.theirs.get());
    io = transport.flush(queue);
    REQUIRE(io != Io::kFailed);
  }
  came += read_all(sockets.theirs.get());
  CHECK((came == text));
}

TEST_CASE("plain: read says what came, that nothing came, and that the peer has closed") {
  tls_peer::Sockets sockets;
  Transport transport(std::move(sockets.ours));
  char buffer[16];
  Bytes n = 0;
  CHECK(transport.read(buffer, n) == Io::kWant);
  REQUIRE(::write(sockets.theirs.get(), "hello", 5) == 5);
  CHECK(transport.read(buffer, n) == Io::kProgress);
  CHECK(std::string_view(buffer, n) == "hello");
  CHECK_FALSE(transport.has_pending());
  sockets.theirs.reset();
  CHECK(transport.read(buffer, n) == Io::kClosed);
  ByteQueue queue;
  queue.append_copy("to nobody");
  CHECK(transport.flush(queue) == Io::kFailed);
}

TEST_CASE("TLS: small pieces leave as one record") {
  Secure secure;
  ByteQueue queue;
  const std::string body = pattern(2000);
  queue.append_copy("head;");
  queue.append(slice_of(body));
  queue.append_copy(";tail");
  CHECK(secure.transport->flush(queue) == Io::kProgress);
  CHECK(queue.is_empty());
  CHECK(secure.client->read() == "head;" + body + ";tail");  // SSL_read gives one record at most
}

TEST_CASE("TLS: a large slice leaves in records of 16 KiB") {
  Secure secure;
  const std::string text = pattern(40'000);
  ByteQueue queue;
  queue.append(slice_of(text));
  CHECK(secure.transport->flush(queue) == Io::kProgress);
  CHECK(secure.client->read().size() == 16384);
  CHECK(secure.client->read().size() == 16384);
  CHECK(secure.client->read() == text.substr(2 * 16384));
}

TEST_CASE("TLS: a write that has to be repeated goes on where it was, with more behind it") {
  Secure secure;
  const std::string text = pattern(4 * 1024 * 1024);
  ByteQueue queue;
  std::string expected;
  for (std::size_t at = 0; at < text.size(); at += 5000) {
    queue.append(slice_of(std::string_view(text).substr(at, 5000)));
    expected += text.substr(at, 5000);
  }
  std::string came;
  for (Io io = Io::kWant; io == Io::kWant;) {
    io = secure.transport->flush(queue);
    REQUIRE(io != Io::kFailed);
    if (io == Io::kWant && expected.size() < text.size() + 100) {
      queue.append_copy("more");
      expected += "more";
    }
    for (std::string record = secure.client->read(); !record.empty(); record = secure.client->read())
      came += record;
  }
  for (std::string record = secure.client->read(); !record.empty(); record = secure.client->read())
    came += record;
  CHECK((came == expected));
}

TEST_CASE("TLS: records that were read ahead are told of, until they are read") {
  Secure secure;
  REQUIRE(secure.client->write("one") == 3);
  REQUIRE(secure.client->write("two") == 3);
  char buffer[100];
  Bytes n = 0;
  REQUIRE(secure.transport->read(buffer, n) == Io::kProgress);
  CHECK(std::string_view(buffer, n) == "one");
  CHECK(secure.transport->has_pending());
  REQUIRE(secure.transport->read(buffer, n) == Io::kProgress);
  CHECK(std::string_view(buffer, n) == "two");
  CHECK_FALSE(secure.transport->has_pending());
  CHECK(secure.transport->read(buffer, n) == Io::kWant);
}

TEST_CASE("TLS: close_notify and a bare end of input are both the end; garbage is a failure") {
  Secure secure;
  char buffer[100];
  Bytes n = 0;
  SUBCASE("close_notify") {
    SSL_shutdown(secure.client->get());
  }
  SUBCASE("a bare end") {
    ::shutdown(secure.sockets.theirs.get(), SHUT_WR);
  }
  SUBCASE("garbage") {
    REQUIRE(::write(secure.sockets.theirs.get(), "GET / HTTP/1.1\r\n\r\n", 18) == 18);
    CHECK(secure.transport->read(buffer, n) == Io::kFailed);
    CHECK_FALSE(secure.transport->tls()->reason().empty());
    CHECK_FALSE(secure.transport->has_pending());
    return;
  }
  CHECK(secure.transport->read(buffer, n) == Io::kClosed);
}

TEST_CASE("TLS: close_write says goodbye before the socket ends, and reading goes on") {
  Secure secure;
  secure.transport->close_write();
  char byte = 0;
  CHECK(SSL_read(secure.client->get(), &byte, 1) == 0);
  CHECK(SSL_get_shutdown(secure.client->get()) == SSL_RECEIVED_SHUTDOWN);
  REQUIRE(secure.client->write("still") == 5);
  char buffer[100];
  Bytes n = 0;
  CHECK(secure.transport->read(buffer, n) == Io::kProgress);
  CHECK(std::string_view(buffer, n) == "still");
}
