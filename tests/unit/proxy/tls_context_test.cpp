// Which certificate, which protocol, which errors: by real handshakes over a socket pair.
#include "proxy/tls_context.h"

#include "doctest_precompiled.h"
#include "unit/proxy/tls_peer.h"

namespace {

using proxy::TlsContext;
using proxy::TlsStream;
using runtime::Io;
using tls_peer::all;
using tls_peer::files;
using tls_peer::make_pair;
using tls_peer::Pair;

std::unique_ptr<TlsContext> context_of(std::vector<proxy::CertificateFiles> wanted,
                                       const conf::Tls& tls = {}) {
  auto made = TlsContext::make(tls, std::move(wanted));
  REQUIRE_MESSAGE(made, made.error().sentence);
  return std::move(*made);
}

std::string name_for(TlsContext& context, const char* asked) {
  tls_peer::Sockets sockets;
  tls_peer::Client client(sockets.theirs.get());
  if (asked != nullptr) client.ask_for(asked);
  TlsStream stream(context, sockets.ours.get());
  REQUIRE(tls_peer::shake_hands(client, stream) == Io::kProgress);
  return client.certificate_name();
}

std::string refusal_of(std::vector<proxy::CertificateFiles> wanted) {
  const auto made = TlsContext::make({}, std::move(wanted));
  REQUIRE_FALSE(made);
  CHECK(made.error().code == runtime::Code::kConfig);
  return made.error().sentence;
}

}  // namespace

TEST_CASE("a client gets the certificate of the name that it asks for") {
  const auto context = context_of(all(files("b", make_pair({"b", "DNS:b.example,DNS:*.wild.example"})),
                                      files("a", make_pair({"a", "DNS:a.example"})),
                                      files("c", make_pair({"c.example", ""}))));
  CHECK(name_for(*context, "a.example") == "a");
  CHECK(name_for(*context, "B.Example") == "b");
  CHECK(name_for(*context, "one.wild.example") == "b");
  SUBCASE("a wildcard stands for one label") {
    CHECK(name_for(*context, "two.one.wild.example") == "a");
    CHECK(name_for(*context, "wild.example") == "a");
  }
  SUBCASE("the common name counts where there is no alternative name") {
    CHECK(name_for(*context, "c.example") == "c.example");
    CHECK(name_for(*context, "b") == "a");
  }
  SUBCASE("no name, and one that nobody has: the first file by name") {
    CHECK(name_for(*context, nullptr) == "a");
    CHECK(name_for(*context, "unknown.example") == "a");
  }
}

TEST_CASE("choose: a dot at the end, nothing, and names that are too long") {
  const auto context = context_of(
      all(files("a", make_pair({"a", "DNS:a.example"})), files("b", make_pair({"b", "DNS:b.example"}))));
  CHECK(context->choose("b.example.") == context->choose("b.example"));
  CHECK(context->choose("b.example") != context->choose("a.example"));
  CHECK(context->choose("") == context->choose("a.example"));
  CHECK(context->choose(".") == context->choose("a.example"));
  CHECK(context->choose(std::string(1000, 'b')) == context->choose("a.example"));
  CHECK(context->choose(std::string(1000, 'b') + ".example") == context->choose("a.example"));
}

TEST_CASE("ALPN: h2 before http/1.1, whatever the client would rather have") {
  const auto context = context_of(all(files("a", make_pair({"a", "DNS:a.example"}))));
  const auto chosen = [&](std::string_view offered) {
    tls_peer::Sockets sockets;
    tls_peer::Client client(sockets.theirs.get());
    if (!offered.empty()) client.offer(offered);
    TlsStream stream(*context, sockets.ours.get());
    REQUIRE(tls_peer::shake_hands(client, stream) == Io::kProgress);
    return std::string(stream.alpn());
  };
  CHECK(chosen("\x08http/1.1\x02h2") == "h2");
  CHECK(chosen("\x08http/1.1") == "http/1.1");
  CHECK(chosen("") == "");
}

TEST_CASE("ALPN: a client that speaks neither is told so, and the handshake fails") {
  const auto context = context_of(all(files("a", make_pair({"a", "DNS:a.example"}))));
  tls_peer::Sockets sockets;
  tls_peer::Client client(sockets.theirs.get());
  client.offer("\x04spdy");
  TlsStream stream(*context, sockets.ours.get());
  CHECK(tls_peer::shake_hands(client, stream) == Io::kFailed);
  CHECK(stream.reason() == "no application protocol");
}

TEST_CASE("TLS 1.1 is refused, 1.2 only if the settings let it") {
  const auto version_of = [](const conf::Tls& tls, int version) {
    const auto context = context_of(all(files("a", make_pair({"a", "DNS:a.example"}))), tls);
    tls_peer::Sockets sockets;
    tls_peer::Client client(sockets.theirs.get());
    SSL_set_min_proto_version(client.get(), TLS1_1_VERSION);
    SSL_set_max_proto_version(client.get(), version);
    SSL_set_security_level(client.get(), 0);  // so that it is the other side that says no
    TlsStream stream(*context, sockets.ours.get());
    const Io io = tls_peer::shake_hands(client, stream);
    return io == Io::kProgress ? std::string(stream.version()) : "refused";
  };
  conf::Tls only_13;
  only_13.min_version = conf::TlsVersion::k13;
  CHECK(version_of({}, TLS1_1_VERSION) == "refused");
  CHECK(version_of({}, TLS1_2_VERSION) == "TLSv1.2");
  CHECK(version_of({}, TLS1_3_VERSION) == "TLSv1.3");
  CHECK(version_of(only_13, TLS1_2_VERSION) == "refused");
  CHECK(version_of(only_13, TLS1_3_VERSION) == "TLSv1.3");
}

TEST_CASE("a session ticket of one set of certificates is good at the next one") {
  const Pair pair = make_pair({"a", "DNS:a.example"});
  const auto connect = [&pair](TlsContext& context, SSL_SESSION* before) {
    tls_peer::Sockets sockets;
    tls_peer::Client client(sockets.theirs.get());
    SSL_set_max_proto_version(client.get(), TLS1_2_VERSION);  // there the ticket is part of the handshake
    if (before != nullptr) SSL_set_session(client.get(), before);
    TlsStream stream(context, sockets.ours.get());
    REQUIRE(tls_peer::shake_hands(client, stream) == Io::kProgress);
    CHECK((SSL_session_reused(client.get()) == 1) == (before != nullptr));
    SSL_set_shutdown(client.get(),
                     SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);  // else its session counts as bad
    return SSL_get1_session(client.get());
  };
  const auto first = context_of(all(files("a", pair)));
  const auto second = context_of(all(files("a", pair)));
  SSL_SESSION* const session = connect(*first, nullptr);
  SSL_SESSION_free(connect(*second, session));
  SSL_SESSION_free(session);
}

TEST_CASE("a stream outlives the set of certificates that it began under") {
  auto context = context_of(
      all(files("a", make_pair({"a", "DNS:a.example"})), files("b", make_pair({"b", "DNS:b.example"}))));
  tls_peer::Sockets sockets;
  tls_peer::Client client(sockets.theirs.get());
  client.ask_for("b.example");
  TlsStream stream(*context, sockets.ours.get());
  context.reset();  // replaced before the first byte came
  REQUIRE(tls_peer::shake_hands(client, stream) == Io::kProgress);
  CHECK(client.certificate_name() == "b");
}

TEST_CASE("what is wrong with a certificate is said, with its name") {
  const Pair one = make_pair({"one", "DNS:one.example"});
  const Pair two = make_pair({"two", "DNS:two.example"});
  const Pair swapped{one.certificate, two.key};
  CHECK(refusal_of({}) == "tls: there is no certificate");
  CHECK(refusal_of(all(files("shop", swapped))) == "tls: shop.key is not the key of shop.crt");
  CHECK(refusal_of(all(files("shop", Pair{"no PEM", one.key})))
            .starts_with("tls: shop.crt has no certificate in it"));
  CHECK(refusal_of(all(files("shop", Pair{"", ""}))).starts_with("tls: shop.crt has no certificate in it"));
  CHECK(refusal_of(all(files("shop", Pair{one.certificate, one.certificate})))
            .starts_with("tls: shop.key has no key in it"));
  const std::string broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  CHECK(refusal_of(all(files("shop", Pair{one.certificate + broken, one.key})))
            .starts_with("tls: shop.crt has a broken certificate"));
  CHECK(refusal_of(all(files("shop", Pair{one.certificate + std::string(300 * 1024, ' '), one.key}))) ==
        "tls: shop.crt is larger than 256 KiB");
}

TEST_CASE(
    "a certificate that has expired is served all the same: the operator is warned, the site is not down "
    "twice") {
  const auto context = context_of(all(files("old", make_pair({"old", "DNS:old.example", -60}))));
  CHECK(name_for(*context, "old.example") == "old");
}

TEST_CASE("an intermediate certificate is sent along") {
  const Pair own = make_pair({"own", "DNS:own.example"});
  const Pair issuer = make_pair({"issuer", ""});
  const auto context = context_of(all(files("own", Pair{own.certificate + issuer.certificate, own.key})));
  tls_peer::Sockets sockets;
  tls_peer::Client client(sockets.theirs.get());
  TlsStream stream(*context, sockets.ours.get());
  REQUIRE(tls_peer::shake_hands(client, stream) == Io::kProgress);
  CHECK(sk_X509_num(SSL_get_peer_cert_chain(client.get())) == 2);
}
