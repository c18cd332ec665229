#include <sys/resource.h>

#include "play.h"

TEST_CASE("2,000 idle TLS connections cost the front under 24 KiB each") {
  if (play::is_sanitized()) {
    MESSAGE("skipped: a sanitizer's memory says nothing about ours");
    return;
  }
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  REQUIRE(files.rlim_cur > 4100);  // ours, and the front's own limit comes from the same machine

  const play::Folder folder;
  folder.certificate("localhost");
  auto portherd = play::Supervisor::serve(folder, R"(
[listen]
https = ["127.0.0.1:$TLS"]
[tls]
certificates = "tls"
[log]
access = "off"
[front.clocks]
keep_alive = "1h"
[apps.who]
command = ["$PYTHON", "$APPS/who.py"]
)");
  portherd.wait_ready();
  const auto ask = [](play::Peer& client) {
    client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    CHECK(client.read_answer().status == 200);
  };
  play::Peer first = play::connect_tls(portherd.tls_port());
  ask(first);
  const pid_t front = portherd.status().front;
  const std::uint64_t before = play::memory_of(front);

  constexpr std::size_t kCount = 2000;
  std::vector<play::Peer> clients;
  for (std::size_t i = 0; i < kCount; ++i) {
    clients.push_back(play::connect_tls(portherd.tls_port()));
    ask(clients.back());
  }
  const std::uint64_t each = (play::memory_of(front) - before) / kCount;
  MESSAGE("an idle TLS connection costs " << each << " bytes");
  CHECK(each < 24 * 1024);
  for (play::Peer& client : clients) ask(client);  // they were really held
}
