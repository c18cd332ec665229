// The clients of one thread: owned here, counted, bounded.
#pragma once
#include <cstddef>
#include <memory>

#include "proxy/client.h"

namespace proxy {

class ClientList {
 public:
  explicit ClientList(FrontThread& thread) : thread_(thread) {}
  ~ClientList();

  /// Takes a new connection in. It has been counted under its address (Site::addresses), or with `proxy_protocol` counts
  /// itself, when it has said what that is.
  void add(Transport transport, const ClientFacts& facts, bool proxy_protocol = false);
  /// Out of the list; the client is buried by the loop.
  void remove(Client& client);
  std::size_t size() const { return size_; }
  void drain();
  void close_all();

 private:
  void leave(const Client&);
  FrontThread& thread_;
  Client* first_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace proxy
