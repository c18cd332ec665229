// Framed messages with passed descriptors between two of our own processes, over a SOCK_SEQPACKET pair (unix(7)).
// Knows nothing of what they mean: see upstream/orders.h. A message is whole or not there.
#pragma once
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/bytes.h"
#include "runtime/fd.h"
#include "runtime/loop.h"
#include "runtime/result.h"

namespace runtime {

struct Message {
  std::string text;
  std::vector<Fd> fds;
};

class Channel {
 public:
  static constexpr Bytes kMaxText = 64 * 1024;
  static constexpr std::size_t kMaxFds = 252;  // the kernel's own limit is 253 (SCM_MAX_FD)
  /// Messages that wait because the peer does not read; past it the channel counts as closed.
  static constexpr std::size_t kMaxWaiting = 8192;

  /// Two connected ends, close-on-exec, non-blocking.
  static Result<std::pair<Fd, Fd>> pair();

  /// `on_message` is called for each message, in order; `on_closed` once, when the peer has gone or broke the rules.
  Channel(Loop& loop, Fd end, Call<Message&> on_message, Call<> on_closed);

  /// Never blocks: what does not fit waits here and is sent when there is room. The descriptors are duplicated by the
  /// kernel at the moment of sending; until then this object keeps them.
  void send(Message);

  int fd() const { return fd_.get(); }
  /// Nothing waits here: the kernel has taken all that was sent.
  bool is_flushed() const { return waiting_.empty(); }

 private:
  void on_readable();
  void on_writable();
  bool send_now(const Message&);
  void close();

  Fd fd_;
  Call<Message&> on_message_;
  Call<> on_closed_;
  std::deque<Message> waiting_;  // not yet accepted by the kernel, in order
  IoWatch watch_;
};

}  // namespace runtime
