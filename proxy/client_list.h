// The clients of one thread: owned here, counted, bounded. Two lines: those that have a request, and the idle
// ones in the order in which they became idle, of whom the first go when there is no room (docs/design.md,
// "Who makes room").
#pragma once
#include <cstddef>
#include <memory>

#include "proxy/client.h"

namespace proxy {

/// Clients behind each other, linked through themselves: each is in one line at a time.
class ClientLine {
 public:
  Client* first() const { return first_; }
  static Client* after(const Client& client) { return client.next_; }
  void add(Client&);  ///< behind all others
  void remove(Client&);

 private:
  Client* first_ = nullptr;
  Client* last_ = nullptr;
};

class ClientList {
 public:
  explicit ClientList(FrontThread& thread) : thread_(thread) {}
  ~ClientList();

  /// Takes a new connection in, as an idle one. It has been counted under its address (Site::addresses), or
  /// with `proxy_protocol` counts itself, when it has said what that is.
  void add(Transport transport, const ClientFacts& facts, bool proxy_protocol = false);
  /// Out of the list; the client is buried by the loop.
  void remove(Client& client);
  std::size_t size() const { return size_; }
  // What each of them does is said at Client.
  void drain();
  void end_drain();
  void close_websockets(upstream::WorkerId worker);
  void close_all();

  // From the client: it is idle from now on, or has something to do.
  void begin_idle(Client&);
  void end_idle(Client&);
  bool has_idle() const { return idle_.first() != nullptr; }
  /// Makes room: the client that has been idle for longest is closed, if there is one. Not from a client's
  /// callback.
  void close_idlest();

 private:
  template <class Tell>
  void each(Tell tell);
  ClientLine& line_of(const Client& client) { return client.is_idle_ ? idle_ : busy_; }
  Client* idlest() const;
  void tell();
  void leave(const Client&);

  FrontThread& thread_;
  ClientLine busy_, idle_;
  std::size_t size_ = 0;
  std::size_t untold_ = 0;       // closed by close_idlest() since the last line in the log
  runtime::Time quiet_until_{};  // no such line before
};

}  // namespace proxy
