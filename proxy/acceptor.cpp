#include "proxy/acceptor.h"

#include <cerrno>

#include "proxy/front_thread.h"
#include "runtime/socket.h"

namespace proxy {
namespace {

// One wake-up takes so many at most, so that a flood of connections does not starve those that are there.
constexpr int kAtOnce = 16;
constexpr runtime::Milliseconds kPause{50};
// Linux' own limit of a backlog (net.core.somaxconn).
constexpr int kMostWaiting = 4096;

}  // namespace

Acceptor::Acceptor(FrontThread& thread, runtime::Fd socket, std::string address, std::uint16_t port, Speaks speaks)
    : thread_(thread),
      socket_(std::move(socket)),
      address_(std::move(address)),
      port_(port),
      speaks_(speaks),
      watch_(thread.loop(), socket_.get(), runtime::bind<&Acceptor::on_readable>(this)),
      pause_(thread.loop(), runtime::bind<&Acceptor::on_pause_over>(this)) {
  watch_.want_read(true);
}

void Acceptor::on_readable() {
  for (int i = 0; i < kAtOnce && accept_one(); ++i) {
  }
}

void Acceptor::take_the_rest() {
  for (int i = 0; i < kMostWaiting && accept_one(); ++i) {
  }
}

bool Acceptor::accept_one() {
  if (thread_.is_full() && !thread_.clients().has_idle()) return pause();
  ClientFacts facts;
  runtime::Fd fd = runtime::accept_from(socket_.get(), facts.peer);
  if (!fd) {
    // Out of descriptors or memory: the connection stays in the backlog until the idlest one's are free.
    if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM) return false;
    thread_.clients().close_idlest();
    return pause();
  }
  facts.port = port_;
  facts.is_tls = speaks_.tls;
  if (port_ != 0) runtime::set_no_delay(fd.get());
  if (speaks_.tls && !thread_.snapshot().tls) return true;  // closed: there is no certificate
  if (speaks_.proxy_protocol) {
    // Closed: it could say that it is anybody. Who has come through a trusted proxy is counted once that is known.
    if (!thread_.snapshot().trusts(facts)) {
      thread_.turned_away().add(facts.peer, "the peer is none of trusted_proxies");
      return true;
    }
  } else if (!may_enter(facts)) {
    return true;  // closed: before it costs anything
  }
  if (thread_.is_full()) thread_.clients().close_idlest();
  thread_.clients().add(speaks_.tls ? Transport(std::move(fd), *thread_.snapshot().tls) : Transport(std::move(fd)), facts,
                        speaks_.proxy_protocol);
  return true;
}

/// A level-triggered watch would spin.
bool Acceptor::pause() {
  watch_.want_read(false);
  pause_.arm(kPause);
  return false;
}

bool Acceptor::may_enter(const ClientFacts& facts) {
  const Site& site = thread_.site();
  if (facts.is_tls && !thread_.snapshot().trusts(facts) && !site.unfinished_handshakes->begin(facts.peer, thread_.loop().now())) {
    thread_.turned_away().add(facts.peer, "it begins handshakes and does not finish them");
    return false;
  }
  return site.addresses->enter(facts.peer);
}

void Acceptor::on_pause_over() { watch_.want_read(true); }

}  // namespace proxy
