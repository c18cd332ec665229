// One connection to one worker. Lives in the loop of the thread that made it; owned by the Dispatch while idle, by a Lease
// while in use. Moves bytes, does not understand them.
#pragma once
#include <memory>
#include <span>
#include <string>

#include "runtime/buffer.h"
#include "runtime/loop.h"
#include "upstream/roster.h"

namespace upstream {

class Desk;
class Dispatch;
struct Place;

class Connection {
 public:
  /// Connects. Empty with errno set if the worker does not take connections.
  static std::unique_ptr<Connection> open(runtime::Loop& loop, const Worker& worker);
  Connection(runtime::Loop& loop, runtime::Fd fd) : fd_(std::move(fd)), watch_(loop, fd_.get(), {}, {}) {}

  /// One read(2).
  runtime::Io read(std::span<char> into, runtime::Bytes& n);
  /// Writes from the front of the queue and drops what was taken, until it is empty (kProgress) or the socket is full.
  runtime::Io flush(runtime::ByteQueue& queue);
  /// No more bytes from us; the other side still may send.
  void close_write();

  int fd() const { return fd_.get(); }
  runtime::IoWatch& watch() { return watch_; }
  bool is_reused() const { return is_reused_; }

 private:
  friend class Dispatch;
  friend class Lease;
  friend struct Share;
  void on_idle_readable();   // in dispatch_connections.cpp: the worker closed it, or another thread took it over
  runtime::Fd fd_;
  runtime::IoWatch watch_;   // reading stays on from the first use to the end: no epoll_ctl for a request
  bool is_reused_ = false;   // it has carried an exchange before
  Desk* desk_ = nullptr;     // whose thread it lives on; set by Dispatch when it is first leased
  Place* place_ = nullptr;   // whose worker; valid while idle or leased
  runtime::Time idle_since_{};
  runtime::Time leased_since_{};
  bool is_idle_ = false;     // in its thread's Share of place_; guarded by the dispatch's lock, and so is the next
  std::size_t leased_at_ = 0;  // in Share::leased, while leased
};

}  // namespace upstream
