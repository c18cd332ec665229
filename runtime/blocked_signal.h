// A signal that is blocked and read (signalfd(2)) instead of caught: so what the kernel would do because of
// it does not happen. For SIGTTOU: while it is blocked, a background job may write to its terminal
// (tcsetattr(3), `stty tostop`), and gets no signal for it; one that somebody sends is read all the same.
// Others are caught: loop.h, SignalWatch.
#pragma once
#include "runtime/call.h"
#include "runtime/fd.h"
#include "runtime/loop.h"

namespace runtime {

class BlockedSignal {
 public:
  /// Blocked in this thread, for good; children are born without (supervisor/spawn.cpp).
  BlockedSignal(Loop& loop, int signal, Call<> on_signal);

 private:
  void on_readable();
  Call<> on_signal_;
  Fd fd_;
  IoWatch watch_;
};

}  // namespace runtime
