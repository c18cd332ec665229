// The listening sockets: bound by us, or adopted from systemd, before anything else is started; open as long
// as we live, whichever front serves them. Who accepts: the front. The rules: docs/design.md, "Listening
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
  std::uint16_t port = 0;  ///< 0 for a Unix socket
  bool tls = false;
  bool shared = false;  ///< one socket for all threads
  bool proxy_protocol = false;
  bool metrics = false;  ///< the page of figures, not for clients
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
  ~Listeners();
  Listeners(Listeners&&) noexcept = default;
  Listeners& operator=(Listeners&&) = delete;

  const std::vector<Listener>& all() const { return all_; }

 private:
  Listeners() = default;
  runtime::Result<void> open_one(const conf::Address& address, bool tls, std::size_t threads);
  bool adopt(const conf::Address& address, bool tls, std::vector<runtime::Fd>& adopted);

  std::vector<Listener> all_;
  std::vector<std::string> paths_;  // of Unix sockets that we made: removed at the end
};

/// The sockets that LISTEN_FDS and LISTEN_PID give us (sd_listen_fds(3)); only those that listen. Call once.
std::vector<runtime::Fd> adopt_listen_fds();

}  // namespace supervisor
