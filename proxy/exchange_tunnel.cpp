// After 101: bytes go both ways as they are; and how a WebSocket is closed that has lasted for as long as it may.
// The way from the client to the worker is the upload's, as before: exchange_send.cpp.
#include <algorithm>

#include "proxy/exchange.h"
#include "proxy/front_thread.h"
#include "proxy/websocket.h"

namespace proxy {

using runtime::Bytes;

void Exchange::on_tunnel_bytes() {
  if (const Bytes n = count_frames(); n > 0) {
    record_.sent += n;
    stream_->send_body(from_worker_.take(n));
  }
  if (is_closing_ && frames_.is_between_frames()) return say_restart();
  from_worker_.rest();
  hold_or_resume();
  arm_deadline();
}

/// How many of the worker's bytes go to the client: all, or those of its last frame.
Bytes Exchange::count_frames() {
  const std::string_view bytes = from_worker_.bytes();
  Bytes n = 0;
  while (n < bytes.size() && !(is_closing_ && frames_.is_between_frames())) n += frames_.next(bytes.substr(n));
  return n;
}

bool Exchange::is_tunnel_to(upstream::WorkerId worker) const {
  return phase_ == Phase::kTunnel && lease_.worker().id == worker;
}

bool Exchange::close_websocket(const Outcome& if_cut) {
  if (phase_ != Phase::kTunnel || worker_closed_ || !frames_.is_counting()) return false;
  is_closing_ = true;
  cut_ = if_cut;
  const runtime::Time until = thread_.loop().now() + kFarewell;
  total_until_ = total_until_ == runtime::Time{} ? until : std::min(total_until_, until);
  frames_.is_between_frames() ? say_restart() : arm_deadline();
  return true;
}

/// The client has all that it will get: its own Close, and what it says before that, find nobody any more. The worker hears
/// the end of its input, as from a client that leaves without a word.
void Exchange::say_restart() {
  if (!frames_.has_closed()) {
    record_.sent += kCloseForRestart.size();
    stream_->send_body({{}, kCloseForRestart.data(), kCloseForRestart.size()});
  }
  stream_->end_body({});
  end(kRestarted);
}

}  // namespace proxy
