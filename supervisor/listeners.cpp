#include "supervisor/listeners.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "runtime/channel.h"
#include "runtime/log.h"
#include "runtime/socket.h"
#include "runtime/text.h"

namespace supervisor {
namespace {

using runtime::Fd;
using runtime::Result;

constexpr mode_t kEverybody = 0666;  // as a TCP port; a folder's mode may narrow it

std::string with_port(const conf::Address& address, std::uint16_t port) {
  const bool is_v6 = address.host.find(':') != std::string::npos;
  return is_v6 ? fmt::format("[{}]:{}", address.host, port) : fmt::format("{}:{}", address.host, port);
}

// "unix:/path", "[::]:80" or "0.0.0.0:80": the text of what a socket is bound to.
std::string bound_to(int fd) {
  sockaddr_un name{};
  socklen_t length = sizeof name;
  ::getsockname(fd, static_cast<sockaddr*>(static_cast<void*>(&name)), &length);
  if (name.sun_family == AF_UNIX) return fmt::format("unix:{}", name.sun_path);
  const runtime::PeerAddress address = runtime::local_address(fd);
  const std::string host = address.text();
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, address.port)
                                             : fmt::format("[{}]:{}", host, address.port);
}

bool is_for(const conf::Address& address, const std::string& bound) {
  if (address.host != "*") return bound == address.text;
  return bound == fmt::format("[::]:{}", address.port) || bound == fmt::format("0.0.0.0:{}", address.port);
}

bool is_listening(int fd) {
  int answer = 0;
  socklen_t length = sizeof answer;
  return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &answer, &length) == 0 && answer != 0;
}

}  // namespace

std::string Listener::url() const {
  if (port == 0) return text;
  std::string_view host = std::string_view(text).substr(0, text.rfind(':'));
  if (host == "*" || host == "0.0.0.0" || host == "[::]") host = "localhost";
  return fmt::format("{}://{}:{}{}", tls ? "https" : "http", host, port, metrics ? "/metrics" : "");
}

Result<Listeners> Listeners::open(const conf::Listen& settings, const conf::Metrics& metrics,
                                  std::size_t threads, std::vector<Fd> adopted) {
  Listeners listeners;
  for (const bool tls : {false, true}) {
    for (const conf::Address& address : tls ? settings.https : settings.http) {
      if (!listeners.adopt(address, tls, adopted)) TRY_VOID(listeners.open_one(address, tls, threads));
      listeners.all_.back().proxy_protocol =
          std::ranges::find(settings.proxy_protocol, address) != settings.proxy_protocol.end();
    }
  }
  if (const auto& address = metrics.listen) {
    if (!listeners.adopt(*address, false, adopted)) TRY_VOID(listeners.open_one(*address, false, 1));
    listeners.all_.back().metrics = true;
  }
  // Sockets for an address that no setting names: whoever gave them meant us to serve them.
  for (Fd& fd : adopted) {
    if (!fd) continue;
    Listener& listener = listeners.all_.emplace_back(
        Listener{.text = bound_to(fd.get()), .port = runtime::local_port(fd.get()), .shared = true});
    listener.sockets.push_back(std::move(fd));
  }
  return listeners;
}

Listeners::Listeners(const saved::Listeners& saved) : paths_(saved.paths) {
  for (const saved::Listener& one : saved.all) {
    Listener& listener = all_.emplace_back(Listener{.text = one.text,
                                                    .port = one.port,
                                                    .tls = one.tls,
                                                    .shared = one.shared,
                                                    .proxy_protocol = one.proxy_protocol,
                                                    .metrics = one.metrics});
    for (const saved::Descriptor socket : one.sockets) listener.sockets.push_back(saved::take(socket));
  }
}

saved::Listeners Listeners::save() const {
  saved::Listeners saved{.paths = paths_};
  for (const Listener& one : all_) {
    saved::Listener& listener = saved.all.emplace_back(saved::Listener{.text = one.text,
                                                                       .port = one.port,
                                                                       .tls = one.tls,
                                                                       .shared = one.shared,
                                                                       .proxy_protocol = one.proxy_protocol,
                                                                       .metrics = one.metrics});
    for (const Fd& socket : one.sockets) listener.sockets.push_back({socket.get()});
  }
  return saved;
}

Listeners::~Listeners() {
  for (const std::string& path : paths_) ::unlink(path.c_str());
}

bool Listeners::adopt(const conf::Address& address, bool tls, std::vector<Fd>& adopted) {
  const auto found =
      std::ranges::find_if(adopted, [&](const Fd& fd) { return fd && is_for(address, bound_to(fd.get())); });
  if (found == adopted.end()) return false;
  Listener& listener =
      all_.emplace_back(Listener{.text = address.text, .port = address.port, .tls = tls, .shared = true});
  listener.sockets.push_back(std::move(*found));
  return true;
}

Result<void> Listeners::open_one(const conf::Address& address, bool tls, std::size_t threads) {
  if (address.kind == conf::Address::Kind::kUnix) {
    TRY(Fd fd, runtime::listen_unix(address.path, kEverybody));
    paths_.push_back(address.path);
    Listener& listener = all_.emplace_back(Listener{.text = address.text, .tls = tls, .shared = true});
    listener.sockets.push_back(std::move(fd));
    return {};
  }
  // Alone first: with SO_REUSEPORT we would share the port with another program of our user without an error.
  TRY(Fd alone, runtime::listen_tcp(address.host, address.port, /*shared=*/false));
  const std::uint16_t port = runtime::local_port(alone.get());
  alone.reset();
  Listener& listener =
      all_.emplace_back(Listener{.text = with_port(address, port), .port = port, .tls = tls});
  const std::size_t count =
      std::min(threads, runtime::Channel::kMaxFds);  // all of them travel in one message
  for (std::size_t i = 0; i < count; ++i) {
    TRY(Fd fd, runtime::listen_tcp(address.host, port, /*shared=*/true));
    listener.sockets.push_back(std::move(fd));
  }
  return {};
}

std::vector<Fd> adopt_listen_fds() {
  constexpr int kFirst = 3;  // SD_LISTEN_FDS_START
  std::vector<Fd> adopted;
  const char* pid = std::getenv("LISTEN_PID");
  const char* count = std::getenv("LISTEN_FDS");
  const auto number = count == nullptr ? std::nullopt : runtime::parse_number(count);
  const bool is_ours = pid != nullptr && runtime::parse_number(pid) == static_cast<std::uint64_t>(::getpid());
  for (int fd = kFirst;
       is_ours && number && fd < kFirst + static_cast<int>(std::min<std::uint64_t>(*number, 1024)); ++fd) {
    if (!is_listening(fd)) {
      runtime::log(runtime::Level::kWarning, "a descriptor of LISTEN_FDS is not a listening socket",
                   {{"fd", fd}});
      continue;
    }
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    adopted.emplace_back(fd);
  }
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(name);
  return adopted;
}

}  // namespace supervisor
