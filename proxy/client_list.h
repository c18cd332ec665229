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

  /// Takes a new connection in, which has been counted under its address (Site::addresses).
  void add(Transport transport, const ClientFacts& facts);
  /// Out of the list; the client is buried by the loop.
  void remove(Client& client);
  std::size_t size() const { return size_; }
  void drain();
  void close_all();

 private:
  FrontThread& thread_;
  Client* first_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace proxy
