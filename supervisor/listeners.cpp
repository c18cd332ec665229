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

constexpr std::size_t kMostTakenOver = runtime::Channel::kMaxFds / 2;  // beside those of its own

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

bool is_wide(const conf::Address& address) {
  return address.host == "*" || address.host == "::" || address.host == "0.0.0.0";
}

// `bound`: as bound_to() tells it. Those of all addresses are open for each family apart, or for both: never the same.
bool is_within(const conf::Address& address, const std::string& bound) {
  if (bound.starts_with("[::]:") || bound.starts_with("0.0.0.0:")) return false;
  if (address.host == "*" || address.host == (bound.starts_with('[') ? "::" : "0.0.0.0")) return true;
  return address.text == bound;
}

bool is_listening(int fd) {
  int answer = 0;
  socklen_t length = sizeof answer;
  return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &answer, &length) == 0 && answer != 0;
}

Listener copy(const Listener& one) {
  Listener copy{.text = one.text,
                .asked = one.asked,
                .port = one.port,
                .tls = one.tls,
                .shared = one.shared,
                .proxy_protocol = one.proxy_protocol,
                .metrics = one.metrics,
                .is_adopted = one.is_adopted};
  for (const Fd& fd : one.sockets) copy.sockets.push_back(runtime::duplicate(fd.get()));
  return copy;
}

// For a front: where the sockets lie is another question.
bool is_the_same(const Listener& one, const Listener& other) {
  return one.text == other.text && one.tls == other.tls && one.proxy_protocol == other.proxy_protocol &&
         one.metrics == other.metrics;
}

bool has(const std::vector<Listener>& all, const Listener& one) {
  return std::ranges::any_of(all, [&](const Listener& other) { return is_the_same(one, other); });
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
  for (Fd& fd : adopted) {
    Listener& given = listeners.given_.emplace_back(Listener{
        .text = bound_to(fd.get()), .port = runtime::local_port(fd.get()), .shared = true, .is_adopted = true});
    given.sockets.push_back(std::move(fd));
  }
  TRY_VOID(listeners.open_all(settings, metrics, threads));
  return listeners;
}

Result<Listeners> Listeners::turned_into(const conf::Listen& settings, const conf::Metrics& metrics,
                                         std::size_t threads) const {
  Listeners next;
  for (const Listener& one : all_) next.given_.push_back(copy(one));
  TRY_VOID(next.open_all(settings, metrics, threads));
  for (const std::string& path : paths_) {
    const bool is_there = std::ranges::find(next.all_, "unix:" + path, &Listener::text) != next.all_.end();
    if (is_there) next.paths_.push_back(path);
  }
  return next;
}

Result<void> Listeners::open_all(const conf::Listen& settings, const conf::Metrics& metrics, std::size_t threads) {
  for (const bool tls : {false, true}) {
    for (const conf::Address& address : tls ? settings.https : settings.http) {
      if (!take(address, tls, /*metrics=*/false)) TRY_VOID(open_one(address, tls, threads));
      all_.back().proxy_protocol =
          std::ranges::find(settings.proxy_protocol, address) != settings.proxy_protocol.end();
    }
  }
  if (const auto& address = metrics.listen) {
    if (!take(*address, /*tls=*/false, /*metrics=*/true)) TRY_VOID(open_one(*address, false, 1));
    all_.back().metrics = true;
  }
  // Sockets for an address that no setting names: whoever gave them meant us to serve them.
  for (Listener& given : given_) {
    if (!given.is_adopted || given.sockets.empty()) continue;
    all_.push_back(std::move(given));
    all_.back().asked.clear();
    all_.back().tls = all_.back().proxy_protocol = all_.back().metrics = false;
  }
  given_.clear();
  return {};
}

Listeners::Listeners(const saved::Listeners& saved) : paths_(saved.paths) {
  for (const saved::Listener& one : saved.all) {
    Listener& listener = all_.emplace_back(Listener{.text = one.text,
                                                    .asked = one.asked,
                                                    .port = one.port,
                                                    .tls = one.tls,
                                                    .shared = one.shared,
                                                    .proxy_protocol = one.proxy_protocol,
                                                    .metrics = one.metrics,
                                                    .is_adopted = one.is_adopted});
    for (const saved::Descriptor socket : one.sockets) listener.sockets.push_back(saved::take(socket));
  }
}

saved::Listeners Listeners::save() const {
  saved::Listeners saved{.paths = paths_};
  for (const Listener& one : all_) {
    saved::Listener& listener = saved.all.emplace_back(saved::Listener{.text = one.text,
                                                                       .asked = one.asked,
                                                                       .port = one.port,
                                                                       .tls = one.tls,
                                                                       .shared = one.shared,
                                                                       .proxy_protocol = one.proxy_protocol,
                                                                       .metrics = one.metrics,
                                                                       .is_adopted = one.is_adopted});
    for (const Fd& socket : one.sockets) listener.sockets.push_back({socket.get()});
  }
  return saved;
}

Listeners::~Listeners() {
  for (const std::string& path : paths_) ::unlink(path.c_str());
}

void Listeners::close() {
  for (Listener& one : all_) one.sockets.clear();
}

void Listeners::leave_paths_to(const Listeners& others) {
  std::erase_if(paths_, [&](const std::string& path) {
    return std::ranges::find(others.paths_, path) != others.paths_.end();
  });
}

// Whose sockets are for the threads, and whose for one place, is not changed while they are open.
bool Listeners::take(const conf::Address& address, bool tls, bool metrics) {
  const auto found = std::ranges::find_if(given_, [&](const Listener& one) {
    if (one.sockets.empty()) return false;
    return one.is_adopted ? is_for(address, bound_to(one.sockets.front().get()))
                          : one.asked == address.text && one.metrics == metrics;
  });
  if (found == given_.end()) return false;
  Listener& listener = all_.emplace_back(std::move(*found));
  found->sockets.clear();
  if (listener.is_adopted) {
    listener.text = address.text;
    listener.port = address.port;
  }
  listener.asked = address.text;
  listener.tls = tls;
  listener.metrics = metrics;
  return true;
}

// Alone first: with SO_REUSEPORT we would share the port with another program of our user without an error. Not where we
// share it with ourselves, while one address takes over from another that it covers ("127.0.0.1:80", and now "*:80").
Result<std::uint16_t> Listeners::port_for(const conf::Address& address) const {
  const bool is_ours = std::ranges::any_of(
      given_, [&](const Listener& one) { return !one.is_adopted && one.port != 0 && one.port == address.port; });
  if (is_ours) return address.port;
  TRY(const Fd alone, runtime::listen_tcp(address.host, address.port, /*shared=*/false));
  return runtime::local_port(alone.get());
}

Result<void> Listeners::open_one(const conf::Address& address, bool tls, std::size_t threads) {
  if (address.kind == conf::Address::Kind::kUnix) {
    TRY(Fd fd, runtime::listen_unix(address.path, kEverybody));
    paths_.push_back(address.path);
    Listener& listener = all_.emplace_back(Listener{.text = address.text, .asked = address.text, .tls = tls, .shared = true});
    listener.sockets.push_back(std::move(fd));
    return {};
  }
  TRY(const std::uint16_t port, port_for(address));
  Listener& listener =
      all_.emplace_back(Listener{.text = with_port(address, port), .asked = address.text, .port = port, .tls = tls});
  const std::size_t count =
      std::min(threads, runtime::Channel::kMaxFds);  // all of them travel in one message
  take_over(address, listener);
  for (std::size_t i = is_wide(address) ? 0 : listener.sockets.size(); i < count; ++i) {
    TRY(Fd fd, runtime::listen_tcp(address.host, port, /*shared=*/true));
    listener.sockets.push_back(std::move(fd));
  }
  return {};
}

// Who connects to a narrower address comes to its own sockets as long as they are open, and would be lost in them when they
// are closed: so one that covers it has them, too, and gives them back.
void Listeners::take_over(const conf::Address& address, Listener& listener) {
  for (Listener& one : given_) {
    if (one.is_adopted || one.port == 0 || one.port != address.port) continue;
    std::erase_if(one.sockets, [&](Fd& fd) {
      if (!is_within(address, bound_to(fd.get())) || listener.sockets.size() == kMostTakenOver) return false;
      listener.sockets.push_back(std::move(fd));
      return true;
    });
  }
}

ListenChange difference(const std::vector<Listener>& now, const std::vector<Listener>& next) {
  ListenChange change;
  for (const Listener& one : now) {
    if (!has(next, one)) change.closings.push_back(one.text);
  }
  for (const Listener& one : next) {
    if (!has(now, one)) change.openings.push_back(&one);
  }
  return change;
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
