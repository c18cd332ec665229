// Takes connections from one listening socket, within the limits, and hands them to the thread's clients.
#pragma once
#include <cstdint>

#include "runtime/fd.h"
#include "runtime/loop.h"

namespace proxy {

class FrontThread;

class Acceptor {
 public:
  Acceptor(FrontThread& thread, runtime::Fd socket, std::uint16_t port, bool tls);

 private:
  void on_readable();
  void on_pause_over();
  bool accept_one();

  FrontThread& thread_;
  runtime::Fd socket_;
  const std::uint16_t port_;
  const bool tls_;
  runtime::IoWatch watch_;
  runtime::Timer pause_;  // out of descriptors or full: connections wait in the backlog for a moment
};

}  // namespace proxy
