// The listening sockets: bound by us, or adopted from systemd, before anything else is started; open until
// all drains, whichever front serves them. Who accepts: the front. The rules: docs/design.md, "Listening
// sockets".
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "conf/settings.h"
#include "runtime/fd.h"
#include "runtime/result.h"
#include "supervisor/saved.h"

namespace supervisor {

/// All sockets of one address.
struct Listener {
  std::string text;        ///< "127.0.0.1:8000", "unix:/run/x.sock"; with the real port where 0 was asked for
  std::string asked;       ///< as the settings name it; empty: they do not, it was given to us
  std::uint16_t port = 0;  ///< 0 for a Unix socket
  bool tls = false;
  bool shared = false;  ///< one socket for all threads
  bool proxy_protocol = false;
  bool metrics = false;  ///< the page of figures, not for clients
  bool is_adopted = false;  ///< by somebody who keeps it open: never closed
  std::vector<runtime::Fd> sockets;

  /// "https://127.0.0.1:8443", "http://localhost:80" for "*:80", "unix:/run/x.sock"; of metrics with its path.
  std::string url() const;
};

class Listeners {
 public:
  /// `threads`: of the front; each TCP address gets as many sockets. `adopted`: from adopt(), may be empty.
  /// Errors: an address is in use, or not ours to bind; nothing is left open then.
  static runtime::Result<Listeners> open(const conf::Listen& settings, const conf::Metrics& metrics,
                                         std::size_t threads, std::vector<runtime::Fd> adopted);
  explicit Listeners(const saved::Listeners& saved);
  saved::Listeners save() const;
  /// What other settings ask for: those of these that they name, too, by descriptors of their own, and what is to be opened
  /// beside them. Errors: as of open(); these stay as they are.
  runtime::Result<Listeners> turned_into(const conf::Listen& settings, const conf::Metrics& metrics,
                                         std::size_t threads) const;
  ~Listeners();
  Listeners(Listeners&&) noexcept = default;
  Listeners& operator=(Listeners&&) noexcept = default;

  const std::vector<Listener>& all() const { return all_; }
  /// What they are stays known. Without a front that has the sockets, too, who connects is refused from now on.
  void close();
  /// The others are the ones that stay: the paths of Unix sockets that they have are theirs to remove.
  void leave_paths_to(const Listeners& others);

 private:
  Listeners() = default;
  runtime::Result<void> open_all(const conf::Listen& settings, const conf::Metrics& metrics, std::size_t threads);
  bool take(const conf::Address& address, bool tls, bool metrics);
  runtime::Result<std::uint16_t> port_for(const conf::Address& address) const;
  runtime::Result<void> open_one(const conf::Address& address, bool tls, std::size_t threads);
  void take_over(const conf::Address& address, Listener& listener);

  std::vector<Listener> all_;
  std::vector<Listener> given_;     // open already; taken by the address that names one
  std::vector<std::string> paths_;  // of Unix sockets that we made: removed at the end
};

/// What a front that has `now` is to be told so that it has `next`. Pure.
struct ListenChange {
  std::vector<std::string> closings;         ///< by Listener::text
  std::vector<const Listener*> openings;     ///< of `next`
};
ListenChange difference(const std::vector<Listener>& now, const std::vector<Listener>& next);

/// The sockets that LISTEN_FDS and LISTEN_PID give us (sd_listen_fds(3)); only those that listen. Call once.
std::vector<runtime::Fd> adopt_listen_fds();

}  // namespace supervisor
