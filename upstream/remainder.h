// What is left of an exchange that is over for its client while the worker is still busy with it: the slot, the connection,
// and what the worker still says, which is read and thrown away. The slot is free when the worker has let go, not before:
// so no worker is ever given more than it can take, and none has a backlog.
#pragma once
#include <cstdint>
#include <string>

#include "runtime/buffer.h"
#include "runtime/loop.h"
#include "upstream/answer_reader.h"
#include "upstream/dispatch.h"

namespace upstream {

/// How an exchange leaves its worker behind.
struct Leftover {
  Lease lease;               ///< with its connection
  AnswerReader reader;       ///< as far as it has come,
  ResponseHead head;         ///< and the head that it has begun
  runtime::InBuffer in;      ///< what it has not read yet
  runtime::ByteQueue wire;   ///< what is still to be sent, so that the worker understands where it stands
  std::string id;            ///< the exchange's, for the log
  runtime::Milliseconds request_timeout{};  ///< its route's: so long a worker may be busy before it is stuck
  runtime::Milliseconds graceful_timeout{}; ///< its app's: so long what nobody listens to may go on
  bool has_answered = false; ///< the head of an answer has come
  bool is_tunnel = false;    ///< no messages any more, only bytes; never so with our own worker, whose tunnels have frames
  bool is_last = false;      ///< nothing follows `wire`: our writing side is shut behind it
  bool is_stuck = false;     ///< request_timeout has passed already
};

/// Lives on the desk's thread, from Desk::leave_behind() until the slot is free.
class Remainder {
 public:
  Remainder(Desk& desk, Leftover left);

 private:
  void on_readable();
  void on_writable();
  void on_deadline();
  bool discard();
  bool is_cut_short() const;
  void become_stuck();
  void tell(bool is_stuck);
  void over(bool reuse);
  void arm();

  Desk& desk_;
  Leftover left_;
  runtime::Timer deadline_;
  runtime::Bytes discarded_ = 0;
};

}  // namespace upstream
