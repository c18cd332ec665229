#include "upstream/remainder.h"

namespace upstream {

namespace {

using runtime::Bytes;
using runtime::Io;

// Of an answer that nobody wants. Who writes that much without a pause hears of the end in its next write.
constexpr Bytes kMostDiscarded = 64 * 1024;
// Reads in one turn: it may have more to say than there are bytes in its socket now, and others use the loop.
constexpr int kReadsATurn = 4;

}  // namespace

Remainder::Remainder(Desk& desk, Leftover left)
    : desk_(desk), left_(std::move(left)), deadline_(desk.loop(), runtime::bind<&Remainder::on_deadline>(this)) {
  Connection& connection = left_.lease.connection();
  connection.watch().rebind(runtime::bind<&Remainder::on_readable>(this), runtime::bind<&Remainder::on_writable>(this));
  connection.watch().want_read(true);
  connection.watch().want_write(true);  // from the loop: whoever left it behind is in the middle of something
  if (left_.is_stuck) become_stuck();
  arm();
}

/// A worker that works may take as long as a request may. A program that answers is told after a while that nobody listens, by
/// the end of the connection: one that sends events for ever would hold its slot as long. Our own worker looks by itself.
void Remainder::arm() {
  const bool is_busy = !left_.is_stuck && !left_.has_answered && !left_.is_tunnel;
  deadline_.arm(is_busy ? left_.request_timeout : left_.graceful_timeout);
}

void Remainder::on_writable() {
  Connection& connection = left_.lease.connection();
  const Io io = connection.flush(left_.wire);
  if (io == Io::kWant) return;
  left_.wire.clear();  // kFailed: nobody reads it; what is still to come from there is the end
  connection.watch().want_write(false);
  if (left_.is_last) connection.close_write();
  if (discard()) on_readable();
}

void Remainder::on_readable() {
  for (int i = 0; i < kReadsATurn; ++i) {
    Bytes n = 0;
    left_.in.rest();
    const std::span<char> room = left_.in.room();
    const Io io = left_.lease.connection().read(room, n);
    if (io == Io::kWant) return;
    if (io != Io::kProgress) return over(false);
    left_.in.added(n);
    discarded_ += n;
    if (!discard() || n < room.size()) return;
    if (is_cut_short() && discarded_ >= kMostDiscarded) return over(false);
  }
}

/// False: that was all.
bool Remainder::discard() {
  if (left_.is_tunnel) {
    left_.in.clear();
    return true;
  }
  for (;;) {
    runtime::Slice piece;
    switch (left_.reader.next(left_.in, left_.head, piece)) {
      case Step::kMore:
        return true;
      case Step::kHead:
        left_.has_answered = true;
        left_.is_tunnel = left_.head.status == 101 && left_.lease.worker().speech == Speech::kHttp;
        arm();
        if (left_.is_tunnel) return discard();
        break;
      case Step::kInterim:
      case Step::kBody:
        break;
      case Step::kEnd:
        over(left_.reader.may_reuse() && left_.wire.is_empty() && !left_.is_last && left_.in.is_empty());
        return false;
      case Step::kBroken:
        over(false);
        return false;
    }
  }
}

void Remainder::on_deadline() {
  const bool is_supervised = left_.lease.worker().pid != 0;
  if (is_cut_short() || (left_.is_stuck && !is_supervised)) return over(false);
  if (left_.is_stuck) return;  // the supervisor knows: it ends the worker, and with it the connection
  become_stuck();
  arm();
}

bool Remainder::is_cut_short() const {
  return left_.lease.worker().speech == Speech::kHttp && (left_.has_answered || left_.is_tunnel);
}

void Remainder::become_stuck() {
  left_.is_stuck = true;
  tell(true);
}

void Remainder::tell(bool is_stuck) {
  if (const auto& tell = desk_.dispatch().tell_stuck_) tell(left_.lease.worker(), left_.id, is_stuck);
}

void Remainder::over(bool reuse) {
  if (left_.is_stuck) tell(false);
  left_.lease.give_back(reuse);
  desk_.forget(*this);
}

}  // namespace upstream
