#include "proxy/h1_session.h"

#include "proxy/front_thread.h"
#include "proxy/h1_writer.h"
#include "runtime/socket.h"
#include "upstream/request_writer.h"

namespace proxy {
namespace {

using runtime::Bytes;
using runtime::Io;
using runtime::Slice;
using upstream::Framing;
using upstream::Step;
using upstream::Version;

// Of requests that wait behind the one that runs. Who says more behind it is not heard, nor that it leaves.
constexpr Bytes kMostBehind = 16 * 1024;

}  // namespace

H1Session::H1Session(Client& client, runtime::InBuffer first) : client_(client), in_(std::move(first)) {
  const conf::Front& front = client.thread().snapshot().settings.front;
  reader_.begin(front.max_head, front.max_fields);
}

void H1Session::on_readable() {
  // A few records at a time: one client must not hold the loop.
  for (int i = 0; i < 4; ++i) {
    if (state_ == State::kLingering) return discard();
    const std::span<char> room = in_.room(/*large=*/state_ == State::kExchange && held_ > 0);
    Bytes n = 0;
    switch (client_.transport().read(room, n)) {
      case Io::kWant:
        return in_.rest();
      case Io::kClosed:
        return on_input_end();
      case Io::kFailed:
        return lost(kClientGone);
      case Io::kProgress:
        in_.added(n);
        parse();
    }
    if (client_.is_closing() || !client_.transport().has_pending()) return;
  }
  client_.read_on();
}

void H1Session::parse() {
  while (!client_.is_closing() && parse_step()) {
  }
  if (client_.is_closing()) return;
  in_.rest();
  update_reading();
}

/// One step of the reader; false: nothing more to do with what is here.
bool H1Session::parse_step() {
  if (state_ == State::kTunnel) return pass_tunnel();
  if (state_ == State::kLingering || in_.is_empty()) return false;
  if (state_ == State::kExchange && (body_read_ || body_stopped_ || exchange_->has_ended())) return false;
  if (!exchange_) begin_exchange();
  const bool more = parse_message();
  if (state_ == State::kExchange && !body_read_ && reader_.body_has_ended()) {
    body_read_ = true;
    exchange_->on_body_end(reader_.trailers());
  }
  return more;
}

bool H1Session::parse_message() {
  Slice piece;
  switch (reader_.next(in_, exchange_->request(), piece)) {
    case Step::kMore:
      // The head so far may be told of, too (408): what it looks into has to stay, wherever the buffer moves.
      if (state_ == State::kHead) exchange_->keep(in_.chunk());
      return false;
    case Step::kHead:
      enter_exchange();
      keep_alive_ = exchange_->request().keep_alive;
      exchange_->keep(in_.chunk());
      exchange_->begin(*this, client_.facts());
      return true;
    case Step::kBody:
      held_ += piece.size;
      exchange_->on_body(std::move(piece));
      return true;
    case Step::kEnd:
      return true;
    case Step::kInterim:  // answers only
    case Step::kBroken:
      // Nothing that follows is ever read as a request.
      keep_alive_ = false;
      body_stopped_ = true;
      enter_exchange();
      exchange_->refuse(*this, client_.facts(), reader_.refusal().status, reader_.refusal().reason);
      return false;
  }
  return false;
}

/// The first byte of a head: from now on the head clock runs, not the keep-alive one.
void H1Session::begin_exchange() {
  exchange_ = client_.thread().exchanges().take();
  client_.deadline().arm(client_.thread().snapshot().settings.front.clocks.head);
  client_.begin_idle();  // anew: who has begun to speak goes after those who are silent
}

void H1Session::enter_exchange() {
  state_ = State::kExchange;
  client_.deadline().cancel();
  client_.end_idle();
}

bool H1Session::pass_tunnel() {
  if (!in_.is_empty()) {
    const Bytes n = in_.bytes().size();
    held_ += n;
    exchange_->on_body(in_.take(n));
  }
  return false;
}

/// End of input while waiting in line means gone; while a worker is busy it is only that, and the answer is finished.
/// So are those to the requests behind it, as long as each finds a slot at once.
void H1Session::on_input_end() {
  input_ended_ = true;
  if (in_.is_empty()) keep_alive_ = false;
  client_.want_read(false);
  if (state_ == State::kHead) return lost(kClientGone);
  if (state_ == State::kTunnel) return exchange_->on_body_end();
  if (exchange_->has_ended()) return flush_soon();
  if (!exchange_->is_being_answered() || (!body_read_ && !body_stopped_)) lost(kClientGone);
}

void H1Session::end_drain() {
  if (!exchange_ || !exchange_->close_websocket(kDrained)) lost(kDrained);
}

void H1Session::close_websockets(upstream::WorkerId worker) {
  if (exchange_ && exchange_->is_tunnel_to(worker)) exchange_->close_websocket(kRetired);
}

void H1Session::lost(const Outcome& why) {
  if (client_.is_closing()) return;
  if (exchange_) exchange_->client_gone(why);
  client_.close();
}

// ---- ClientStream ----

void H1Session::send_interim(const upstream::ResponseHead& head) {
  write_interim(head, out_);
  flush_soon();
}

void H1Session::send_head(const upstream::ResponseHead& head) {
  const Version version = exchange_->request().version;
  answer_framing_ = head.framing;
  if (head.framing == Framing::kChunked || head.framing == Framing::kToClose) {
    answer_framing_ = version == Version::kHttp10 ? Framing::kToClose : Framing::kChunked;
  }
  // An answer that comes before the end of the request's body: nobody may want the rest, and then this is the last one.
  const bool is_early = !reader_.body_has_ended();
  const bool has_nothing_behind = input_ended_ && in_.is_empty();
  if (answer_framing_ == Framing::kToClose || is_early || is_draining_ || has_nothing_behind) keep_alive_ = false;
  write_response_head(head, version, keep_alive_, answer_framing_, client_.thread().date(), out_);
  flush_soon();
}

void H1Session::send_body(Slice piece) {
  if (answer_framing_ == Framing::kChunked && state_ != State::kTunnel) {
    upstream::write_chunk(piece, out_);
  } else {
    out_.append(std::move(piece));
  }
  was_full_ = was_full_ || out_.size() >= kHighMark;
  flush_soon();
}

void H1Session::end_body(std::string_view trailers) {
  if (state_ == State::kTunnel) {
    keep_alive_ = false;  // its sending side is closed by flush(), when all is out
    tunnel_ended_ = true;
  } else if (answer_framing_ == Framing::kChunked) {
    upstream::write_last_chunk(trailers, out_);
  }
  flush_soon();
}

void H1Session::cut() {
  keep_alive_ = false;
  is_cut_ = true;
  flush_soon();
}

void H1Session::become_tunnel() {
  state_ = State::kTunnel;
  answer_framing_ = Framing::kToClose;
  keep_alive_ = false;
  parse_soon_ = true;  // what came behind the request's head belongs to the tunnel
  flush_soon();
}

void H1Session::body_taken(Bytes n) {
  held_ -= std::min(n, held_);
  update_reading();
}

void H1Session::stop_body() {
  if (body_read_) return;
  body_stopped_ = true;
  keep_alive_ = false;
}

// ---- writing, and what comes after an answer ----

void H1Session::flush() {
  const Bytes before = out_.size();
  const Io io = client_.transport().flush(out_);
  if (io == Io::kFailed || io == Io::kClosed) return lost(kClientGone);
  client_.want_write(io == Io::kWant);
  if (io == Io::kWant) {
    if (out_.size() < before || !client_.deadline().is_armed()) {
      client_.deadline().arm(client_.thread().snapshot().settings.front.clocks.write_idle);
    }
  } else if (before > 0 && state_ != State::kHead) {
    client_.deadline().cancel();
  }
  if (std::exchange(parse_soon_, false)) parse();
  if (client_.is_closing()) return;
  if (was_full_ && out_.size() <= kLowMark) {
    was_full_ = false;
    if (exchange_ && !exchange_->has_ended()) exchange_->on_room();
  }
  if (tunnel_ended_ && out_.is_empty()) {
    tunnel_ended_ = false;  // said once; the exchange may be long gone when the client is flushed again
    client_.transport().close_write();
  }
  if (exchange_ && exchange_->has_ended() && (out_.is_empty() || is_cut_)) release_exchange();
}

void H1Session::release_exchange() {
  exchange_.reset();
  if (is_cut_) {
    // To HTTP/1.0 the end of the connection is the end of the body: only a reset says that it was cut.
    if (answer_framing_ == Framing::kToClose) runtime::reset_on_close(client_.transport().fd());
    return client_.close();
  }
  if (!keep_alive_) return linger();
  state_ = State::kHead;
  client_.begin_idle();
  body_read_ = body_stopped_ = was_full_ = false;
  held_ = 0;
  reader_.next_message();
  client_.deadline().arm(client_.thread().snapshot().settings.front.clocks.keep_alive);
  parse();  // pipelined, RFC 9112 9.3.2
  if (input_ended_ && !client_.is_closing()) on_input_end();
}

void H1Session::linger() {
  client_.transport().close_write();
  const bool owes_nothing = state_ != State::kTunnel && body_read_ && in_.is_empty();
  if (input_ended_ || owes_nothing) return client_.close();
  state_ = State::kLingering;
  client_.begin_idle();
  in_.clear();
  linger_.begin(client_.thread().loop().now());
  client_.deadline().arm_at(linger_.end());
  client_.want_read(true);
}

void H1Session::discard() {
  Bytes n = 0;
  const Io io = client_.transport().discard(n);
  if (io == Io::kWant) return;
  if (io != Io::kProgress) return client_.close();
  linger_.go_on(client_.thread().loop().now());
  client_.deadline().arm_at(linger_.end());
}

void H1Session::on_deadline() {
  switch (state_) {
    case State::kHead:
      if (!exchange_) return client_.close();  // idle
      keep_alive_ = false;
      body_stopped_ = true;
      enter_exchange();
      return exchange_->refuse(*this, client_.facts(), 408, "head came too slowly");
    case State::kExchange:
    case State::kTunnel:
      if (client_.transport().has_been_taken_from()) {
        return client_.deadline().arm(client_.thread().snapshot().settings.front.clocks.write_idle);
      }
      return lost({Fault::kClient, "client took nothing for too long"});
    case State::kLingering:
      return client_.close();
  }
}

/// Not read: a body that nobody takes, and many requests behind the one that runs. A few are: the end of the client's input
/// comes behind them, and who has left while it waited in line must be out of it. What is left of a body that is still
/// being read is a chunk-size line, say, of which the rest has to come.
void H1Session::update_reading() {
  const bool takes_body = state_ == State::kExchange && !body_read_ && !body_stopped_ && !exchange_->has_ended();
  const bool is_unwanted = body_stopped_ && !in_.is_empty();
  const bool waits_behind = state_ == State::kExchange && !takes_body && (is_unwanted || in_.bytes().size() >= kMostBehind);
  client_.want_read(!input_ended_ && held_ < kHighMark && !waits_behind);
}

}  // namespace proxy
