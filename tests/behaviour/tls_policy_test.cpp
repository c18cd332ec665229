// What TLS speaks, asked by a client that is not ours: openssl s_client.
#include "play.h"

namespace {

constexpr const char* kConfig = R"(
[listen]
https = ["127.0.0.1:$TLS"]
[tls]
certificates = "tls"
[apps.echo]
command = ["$PYTHON", "$APPS/echo.py"]
)";

struct Session {
  std::uint16_t port;

  /// What s_client has to say of a connection with these options, after `input`.
  std::string operator()(const std::string& options, const std::string& input = "Q") const {
    const play::Ended ended =
        play::run({"sh", "-c",
                   "printf '" + input + "\\n' | timeout 60 openssl s_client -connect 127.0.0.1:" +
                       std::to_string(port) + " -servername localhost " + options + " 2>&1"});
    return ended.out;
  }
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("TLS 1.3 and 1.2 are spoken, older ones are not") {
  const play::Folder folder;
  folder.certificate("localhost");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  const Session session{portherd.tls_port()};
  CHECK(has(session("-tls1_3"), "New, TLSv1.3, Cipher is TLS_AES_"));
  CHECK(has(session("-tls1_2"), "New, TLSv1.2, Cipher is ECDHE-"));
  // SECLEVEL=0: so that it is the other side that says no.
  for (const std::string old : {"-tls1_1", "-tls1"}) {
    const std::string said = session(old + " -cipher ALL:@SECLEVEL=0");
    CAPTURE(said);
    CHECK(has(said, "alert protocol version"));
    CHECK(has(said, "Cipher is (NONE)"));
  }
}

TEST_CASE("TLS 1.2 has AEAD suites with forward secrecy, and no other") {
  const play::Folder folder;
  folder.certificate("localhost");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  const Session session{portherd.tls_port()};
  for (const std::string suite : {"ECDHE+AESGCM", "ECDHE+CHACHA20"}) {
    CHECK(has(session("-tls1_2 -cipher " + suite), "New, TLSv1.2, Cipher is ECDHE-"));
  }
  // CBC with HMAC, CCM, plain RSA, finite-field DH, no certificate, no encryption, 3DES.
  for (const std::string suite :
       {"ECDHE+AES:!AESGCM:!AESCCM", "AESCCM", "kRSA", "DHE", "aNULL", "eNULL", "3DES", "SHA1", "PSK"}) {
    const std::string said = session("-tls1_2 -cipher '" + suite + ":@SECLEVEL=0'");
    CAPTURE(suite);
    CAPTURE(said);
    CHECK((has(said, "alert handshake failure") || has(said, "no cipher match") ||
           has(said, "no ciphers available")));
    CHECK_FALSE(has(said, "Cipher is ECDHE"));
  }
}

TEST_CASE("a client may not renegotiate (RFC 5746 4.4)") {
  const play::Folder folder;
  folder.certificate("localhost");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  const Session session{portherd.tls_port()};
  const std::string said = session("-tls1_2", "R\\nGET / HTTP/1.0\\r\\n\\r");
  CAPTURE(said);
  CHECK(has(said, "RENEGOTIATING"));
  CHECK(has(said, "no renegotiation"));
  CHECK_FALSE(has(said, "HTTP/1.1 200"));
}

TEST_CASE("there is no compression, and sessions are resumed by a ticket") {
  const play::Folder folder;
  folder.certificate("localhost");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  const Session session{portherd.tls_port()};
  const std::string kept = folder / "session";
  CHECK(has(session("-tls1_2 -comp -sess_out " + kept), "Compression: NONE"));
  CHECK(has(session("-tls1_2 -sess_in " + kept), "Reused, TLSv1.2"));
}
