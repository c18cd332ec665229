// Clients that begin TLS handshakes and never use them: while they do, others are served, and nothing is left
// of them.
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <time.h>

#include <atomic>
#include <fstream>
#include <sstream>
#include <thread>

#include "play.h"

namespace {

constexpr const char* kConfig = R"(
[listen]
https = ["127.0.0.1:$TLS"]
[tls]
certificates = "tls"
[front]
threads = 1
[apps.app]
proxy = ["unix:app.sock"]
)";

/// What a client says first: a whole ClientHello, made once, as an attacker would.
std::string client_hello() {
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  SSL* const ssl = SSL_new(context);
  BIO* const in = BIO_new(BIO_s_mem());
  BIO* const out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl, in, out);
  SSL_connect(ssl);
  std::string hello(static_cast<std::size_t>(BIO_pending(out)), '\0');
  BIO_read(out, hello.data(), static_cast<int>(hello.size()));
  SSL_free(ssl);
  SSL_CTX_free(context);
  return hello;
}

/// Attackers have an address of their own.
play::Peer connect_from_elsewhere(std::uint16_t port) {
  runtime::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in from{}, to{};
  from.sin_family = to.sin_family = AF_INET;
  from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(port);
  const void *const here = &from, *const there = &to;
  REQUIRE(::bind(fd.get(), static_cast<const sockaddr*>(here), sizeof from) == 0);
  REQUIRE(::connect(fd.get(), static_cast<const sockaddr*>(there), sizeof to) == 0);
  return play::Peer(std::move(fd));
}

double seconds_of(const timespec& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double cpu_of_this_thread() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return seconds_of(time);
}

double cpu_of(pid_t pid) {
  clockid_t clock = 0;
  timespec time{};
  REQUIRE(::clock_getcpuclockid(pid, &clock) == 0);
  ::clock_gettime(clock, &time);
  return seconds_of(time);
}

}  // namespace

TEST_CASE("sound requests are answered while others begin handshakes and leave") {
  const play::Folder folder;
  folder.certificate("localhost");
  play::App app(folder, "app.sock");
  auto portherd = play::Supervisor::serve(folder, kConfig);
  const pid_t front = portherd.status().front;
  const std::string hello = client_hello();
  REQUIRE(hello.size() > 100);

  std::atomic<bool> is_over{false};
  std::atomic<int> handshakes{0}, refused{0};
  double attackers_cpu = 0;
  std::thread attacker([&] {
    std::vector<play::Peer> crowd;
    while (!is_over) {
      // A hundred at a time, so that there are always more than a turn of the loop takes.
      for (int i = 0; i < 100; ++i) {
        crowd.push_back(connect_from_elsewhere(portherd.tls_port()));
        crowd.back().send(hello);
      }
      for (play::Peer& peer : crowd) {
        ++(peer.discard(1) == 1 ? handshakes : refused);
      }
      for (play::Peer& peer : crowd) peer.reset();
      crowd.clear();
    }
    attackers_cpu = cpu_of_this_thread();
  });
  const auto ask = [&] {
    play::Peer client = play::connect_tls(portherd.tls_port());
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    play::Peer worker = app.accept();
    worker.read_head();
    worker.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    return client.read_answer().body;
  };
  CHECK(ask() == "ok");
  const double cpu_before = cpu_of(front);
  const std::uint64_t memory_before = play::memory_of(front);
  for (int i = 0; i < 50; ++i) CHECK(ask() == "ok");
  const double cpu = cpu_of(front) - cpu_before;
  const std::uint64_t memory = play::memory_of(front);
  is_over = true;
  attacker.join();
  CHECK(handshakes > 100);
  CHECK(refused > 100);  // it has begun too many in vain; nobody else is held to that
  if (!play::is_sanitized()) CHECK(memory < memory_before + 16 * 1024 * 1024);
  MESSAGE("handshakes begun: " << handshakes.load() << ", closed before one: " << refused.load() << ", CPU of the front: "
                               << cpu << " s, of the attacker: " << attackers_cpu << " s, ratio " << cpu / attackers_cpu);
  CHECK(ask() == "ok");
}
