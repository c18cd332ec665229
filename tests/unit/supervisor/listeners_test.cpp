#include "supervisor/listeners.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctest_precompiled.h"
#include "runtime/socket.h"

using supervisor::ListenChange;
using supervisor::Listener;
using supervisor::Listeners;

namespace {

conf::Listen listen_on(const std::string& http, const std::string& https = {}) {
  conf::Listen listen;
  listen.http.push_back(*conf::parse_address(http));
  if (!https.empty()) listen.https.push_back(*conf::parse_address(https));
  return listen;
}

bool shares_its_port(int fd) {
  int value = 0;
  socklen_t length = sizeof value;
  ::getsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &value, &length);
  return value != 0;
}

}  // namespace

TEST_CASE("an address gets one socket for each thread, all on the same port") {
  const auto opened = Listeners::open(listen_on("127.0.0.1:0", "127.0.0.1:0"), {}, 3, {});
  REQUIRE(opened.has_value());
  REQUIRE(opened->all().size() == 2);
  const Listener& http = opened->all()[0];
  CHECK_FALSE(http.tls);
  CHECK(opened->all()[1].tls);
  CHECK_FALSE(http.shared);
  REQUIRE(http.sockets.size() == 3);
  CHECK(http.port != 0);
  CHECK(http.text == "127.0.0.1:" + std::to_string(http.port));
  for (const runtime::Fd& fd : http.sockets) {
    CHECK(runtime::local_port(fd.get()) == http.port);
    CHECK(shares_its_port(fd.get()));
  }
}

TEST_CASE("an address of proxy_protocol is known as one") {
  conf::Listen settings = listen_on("127.0.0.1:0", "[::1]:0");
  settings.proxy_protocol = settings.https;
  const auto opened = Listeners::open(settings, {}, 1, {});
  REQUIRE(opened.has_value());
  REQUIRE(opened->all().size() == 2);
  CHECK_FALSE(opened->all()[0].proxy_protocol);
  CHECK(opened->all()[1].proxy_protocol);
}

TEST_CASE("a port in use is found, even where its owner would share it") {
  const auto other = runtime::listen_tcp("127.0.0.1", 0, /*shared=*/true);
  REQUIRE(other.has_value());
  const std::string address = "127.0.0.1:" + std::to_string(runtime::local_port(other->get()));
  const auto opened = Listeners::open(listen_on(address), {}, 2, {});
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().text() == "cannot listen on " + address + ": Address already in use");
}

TEST_CASE("a Unix socket is one for all threads, and removed at the end") {
  std::string folder = "/tmp/portherd-listen-XXXXXX";
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  const std::string path = folder + "/x.sock";
  {
    const auto opened = Listeners::open(listen_on("unix:" + path), {}, 4, {});
    REQUIRE(opened.has_value());
    CHECK(opened->all()[0].sockets.size() == 1);
    CHECK(opened->all()[0].shared);
    CHECK(opened->all()[0].url() == "unix:" + path);
    CHECK(::access(path.c_str(), F_OK) == 0);
    CHECK_FALSE(Listeners::open(listen_on("unix:" + path), {}, 1, {}).has_value());
  }
  CHECK(::access(path.c_str(), F_OK) != 0);
  ::rmdir(folder.c_str());
}

TEST_CASE("an adopted socket serves the address it is bound to; what no setting names is plain http") {
  auto tls = runtime::listen_tcp("127.0.0.1", 0, false);
  auto other = runtime::listen_tcp("127.0.0.1", 0, false);
  REQUIRE((tls.has_value() && other.has_value()));
  const std::uint16_t tls_port = runtime::local_port(tls->get()),
                      other_port = runtime::local_port(other->get());
  conf::Listen listen;
  listen.https.push_back(*conf::parse_address("127.0.0.1:" + std::to_string(tls_port)));
  std::vector<runtime::Fd> adopted;
  adopted.push_back(std::move(*other));
  adopted.push_back(std::move(*tls));
  const auto opened = Listeners::open(listen, {}, 4, std::move(adopted));
  REQUIRE(opened.has_value());
  REQUIRE(opened->all().size() == 2);
  CHECK((opened->all()[0].tls && opened->all()[0].shared && opened->all()[0].port == tls_port));
  CHECK((!opened->all()[1].tls && opened->all()[1].shared && opened->all()[1].port == other_port));
  CHECK(opened->all()[1].text == "127.0.0.1:" + std::to_string(other_port));
}

TEST_CASE("an url can be clicked") {
  CHECK(Listener{.text = "*:80", .port = 80}.url() == "http://localhost:80");
  CHECK(Listener{.text = "[::]:443", .port = 443, .tls = true}.url() == "https://localhost:443");
  CHECK(Listener{.text = "[::1]:8443", .port = 8443, .tls = true}.url() == "https://[::1]:8443");
  CHECK(Listener{.text = "192.0.2.1:8000", .port = 8000}.url() == "http://192.0.2.1:8000");
}

TEST_CASE("LISTEN_FDS of another process are not ours, and are not handed on") {
  ::setenv("LISTEN_FDS", "1", 1);
  ::setenv("LISTEN_PID", "1", 1);
  CHECK(supervisor::adopt_listen_fds().empty());
  CHECK(::getenv("LISTEN_FDS") == nullptr);
  CHECK(::getenv("LISTEN_PID") == nullptr);
}

TEST_CASE("the address of metrics has one socket, however many threads there are") {
  conf::Metrics metrics;
  metrics.listen = conf::parse_address("127.0.0.1:0").value();
  const auto opened = Listeners::open(listen_on("127.0.0.1:0"), metrics, 3, {});
  REQUIRE(opened.has_value());
  REQUIRE(opened->all().size() == 2);
  CHECK_FALSE(opened->all()[0].metrics);
  const Listener& listener = opened->all()[1];
  CHECK(listener.metrics);
  CHECK(listener.sockets.size() == 1);
  CHECK(listener.url() == "http://" + listener.text + "/metrics");
}

TEST_CASE("other settings keep what they still name, open what is new, and close nothing that is there") {
  char folder[] = "/tmp/portherd-listeners-XXXXXX";
  REQUIRE(::mkdtemp(folder) != nullptr);
  const std::string path = std::string(folder) + "/a.sock";
  conf::Listen settings = listen_on("127.0.0.1:0");
  settings.http.push_back(*conf::parse_address("unix:" + path));
  auto now = Listeners::open(settings, {}, 2, {});
  REQUIRE(now.has_value());
  settings.http.push_back(*conf::parse_address("[::1]:0"));
  settings.http.erase(settings.http.begin() + 1);
  {
    auto next = now->turned_into(settings, {}, 2);
    REQUIRE(next.has_value());
    REQUIRE(next->all().size() == 2);
    CHECK(next->all()[0].text == now->all()[0].text);
    CHECK(next->all()[0].sockets.size() == 2);
    const ListenChange change = difference(now->all(), next->all());
    CHECK(change.closings == std::vector<std::string>{"unix:" + path});
    REQUIRE(change.openings.size() == 1);
    CHECK(change.openings.front() == &next->all()[1]);
    CHECK(::access(path.c_str(), F_OK) == 0);
    SUBCASE("the new ones stay: what they do not have is removed") {
      std::swap(*now, *next);
      next->leave_paths_to(*now);
      next = runtime::fail(runtime::Code::kSystem, "gone");
      CHECK(::access(path.c_str(), F_OK) != 0);
    }
    SUBCASE("the old ones stay as they are") {
      next->leave_paths_to(*now);
      next = runtime::fail(runtime::Code::kSystem, "gone");
      CHECK(::access(path.c_str(), F_OK) == 0);
    }
  }
  ::unlink(path.c_str());
  ::rmdir(folder);
}

TEST_CASE("an address takes over from one that it covers, on the same port") {
  const auto now = Listeners::open(listen_on("127.0.0.1:0"), {}, 2, {});
  REQUIRE(now.has_value());
  const std::string port = std::to_string(now->all()[0].port);
  const auto next = now->turned_into(listen_on("*:" + port), {}, 2);
  REQUIRE_MESSAGE(next.has_value(), next.error().text());
  REQUIRE(next->all().size() == 1);
  CHECK(next->all()[0].port == now->all()[0].port);
  CHECK(next->all()[0].sockets.size() == 4);  // the narrower ones, too: who connects there still comes to them
  const ListenChange change = supervisor::difference(now->all(), next->all());
  CHECK(change.closings == std::vector<std::string>{"127.0.0.1:" + port});
  CHECK(change.openings.size() == 1);
  const auto back = next->turned_into(listen_on("127.0.0.1:" + port), {}, 2);
  REQUIRE_MESSAGE(back.has_value(), back.error().text());
  CHECK(back->all()[0].sockets.size() == 2);
}

TEST_CASE("an address that is spoken to otherwise is closed and opened, on the same sockets") {
  auto now = Listeners::open(listen_on("127.0.0.1:0"), {}, 1, {});
  REQUIRE(now.has_value());
  conf::Listen settings = listen_on("127.0.0.1:0");
  settings.proxy_protocol = settings.http;
  const auto next = now->turned_into(settings, {}, 1);
  REQUIRE(next.has_value());
  CHECK(next->all()[0].port == now->all()[0].port);
  const ListenChange change = difference(now->all(), next->all());
  CHECK(change.closings == std::vector<std::string>{now->all()[0].text});
  CHECK(change.openings.size() == 1);
}
