// Takes connections from one listening socket, within the limits, and hands them to the thread's clients. Where the
// PROXY protocol is spoken, only from those who may say who the client is.
#pragma once
#include <cstdint>
#include <string>

#include "proxy/client_facts.h"
#include "runtime/fd.h"
#include "runtime/loop.h"

namespace proxy {

class FrontThread;

/// What is spoken at a listening socket, besides HTTP.
struct Speaks {
  bool tls = false;
  bool proxy_protocol = false;
};

class Acceptor {
 public:
  Acceptor(FrontThread& thread, runtime::Fd socket, std::string address, std::uint16_t port, Speaks speaks);
  /// As the supervisor has named it (orders.h, Listen).
  const std::string& address() const { return address_; }
  /// Who is connected already and waits to be accepted: at the end of the address, for the kernel would reset them.
  void take_the_rest();

 private:
  void on_readable();
  void on_pause_over();
  bool accept_one();
  bool may_enter(const ClientFacts& facts);
  bool pause();

  FrontThread& thread_;
  runtime::Fd socket_;
  const std::string address_;
  const std::uint16_t port_;
  const Speaks speaks_;
  runtime::IoWatch watch_;
  runtime::Timer pause_;  // out of descriptors or full: connections wait in the backlog for a moment
};

}  // namespace proxy
