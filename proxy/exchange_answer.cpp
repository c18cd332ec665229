// The worker's answer: read, passed on as the client takes it, judged where it is none.
#include "proxy/exchange.h"
#include "proxy/front_thread.h"
#include "proxy/long_lived.h"
#include "proxy/websocket.h"
#include "runtime/log.h"

namespace proxy {

using runtime::Bytes;
using runtime::Io;
using runtime::Slice;
using upstream::Framing;
using upstream::Step;
using upstream::Version;

void Exchange::on_worker_readable() {
  // Another stream of the connection may have used up what all of them may leave unread.
  if (!takes_answer()) return hold_or_resume();
  const std::span<char> room = from_worker_.room(may_read_large());
  Bytes n = 0;
  const Io io = lease_.connection().read(room, n);
  switch (io) {
    case Io::kProgress:
      from_worker_.added(n);
      // It filled all the room there was: more is coming, and larger pieces are cheaper.
      reads_large_ = n == room.size() && head_sent_;
      return phase_ == Phase::kTunnel ? on_tunnel_bytes() : read_answer();
    case Io::kWant:
      return;
    case Io::kClosed:
    case Io::kFailed:
      return on_worker_closed(io);
  }
}

void Exchange::read_answer() {
  for (;;) {
    Slice piece;
    switch (reader_.next(from_worker_, answer_, piece)) {
      case Step::kMore:
        from_worker_.rest();
        if (reader_.body_is_whole()) tell_answer_end();
        return arm_deadline();
      case Step::kInterim:
        on_interim();
        break;
      case Step::kHead:
        on_head();
        break;
      case Step::kBody:
        on_answer_body(std::move(piece));
        break;
      case Step::kEnd:
        return on_answer_end();
      case Step::kBroken:
        return on_broken_answer();
    }
    if (phase_ != Phase::kSend && phase_ != Phase::kRelay) return;
  }
}

/// 100 only to a client that waits for it; others to those who can take them (RFC 9110 15.2).
void Exchange::on_interim() {
  if (request_.version == Version::kHttp10) return;
  if (answer_.status == 100) return send_continue();
  prepare_response(answer_, false);
  stream_->send_interim(answer_);
}

void Exchange::on_head() {
  if (const std::string_view complaint = upgrade_complaint(request_, answer_); !complaint.empty()) {
    blame_worker(kBadAnswer.cause, complaint);
    return answer_ourselves(502, kBadAnswer);
  }
  const bool is_tunnel = answer_.status == 101;
  record_.first_byte = thread_.loop().now();
  record_.status = answer_.status;
  head_sent_ = true;
  lives_long_ = lives_long_ || (answer_.framing != Framing::kLength && is_event_stream(answer_));
  may_spool_ = may_spool_ && !is_tunnel && !lives_long_;
  phase_ = is_tunnel ? Phase::kTunnel : Phase::kRelay;
  if (is_websocket(answer_)) frames_.begin();
  upload_.let_go();
  release_gathered();
  prepare_response(answer_, is_tunnel, takes_trailers());
  if (worker_speaks_http()) add_via(answer_);
  stream_->send_head(answer_);
  if (is_tunnel) {
    upload_.become_tunnel();
    stream_->become_tunnel();
    on_tunnel_bytes();
  }
}

void Exchange::on_answer_body(Slice piece) {
  keep_answer(std::move(piece));
  hold_or_resume();
}

/// A client that does not read holds the worker back, too, when all that may be kept for it is there.
void Exchange::hold_or_resume() {
  if (worker_closed_) return;
  const bool has_room = takes_answer();
  lease_.connection().watch().want_read(has_room);
  if (!has_room) arm_deadline();
}

void Exchange::on_room() {
  if (phase_ == Phase::kFile) return read_file_on();
  if (spool_) deliver();
  go_on_with_answer();
}

void Exchange::go_on_with_answer() {
  if (has_worker()) hold_or_resume();
  if (has_worker() || phase_ == Phase::kDeliver) arm_deadline();
}

void Exchange::tell_answer_end() {
  if (answer_body_ended_ || spool_) return;
  answer_body_ended_ = true;
  if (!upload_.is_whole()) stream_->stop_body();
  if (takes_trailers() && !reader_.trailers().empty()) return stream_->end_body(pass_trailers(reader_.trailers()));
  stream_->end_body({});
}

void Exchange::on_answer_end() {
  tell_answer_end();
  if (reader_.has_surplus()) blame_worker("worker sent more than its answer", "nobody has asked for what stands behind it");
  // Fit for another exchange only if this one is over on both sides of the wire.
  lease_.give_back(reader_.may_reuse() && upload_.is_sent() && from_worker_.is_empty(), /*has_answered=*/true);
  if (spool_) return deliver_rest(kOk);
  end(kOk);
}

void Exchange::on_worker_closed(Io how) {
  if (phase_ == Phase::kTunnel) {
    worker_closed_ = true;
    lease_.connection().watch().want_read(false);
    stream_->end_body({});
    // Its half is closed. A broken connection takes the other half with it.
    if (how == Io::kFailed || (client_closed_ && upload_.has_drained())) return end(kOk);
    return arm_deadline();
  }
  if (how == Io::kClosed && reader_.on_close() == Step::kEnd) return on_answer_end();
  if (!head_sent_) return attempt_failed(kWorkerLost, /*connect_failed=*/false);
  if (!answer_body_ended_ && !reader_.body_is_whole()) blame_worker("worker cut its answer off", cause_of_loss());
  answer_ourselves(502, kAnswerCut);
}

void Exchange::on_broken_answer() {
  if (reader_.was_not_taken()) return attempt_failed(kWorkerLost, /*connect_failed=*/false);
  blame_worker(kBadAnswer.cause, reader_.complaint());
  answer_ourselves(502, kBadAnswer);
}

/// A connection that broke leaves its reader without a complaint.
std::string_view Exchange::cause_of_loss() const {
  return reader_.complaint().empty() ? "the connection ended" : reader_.complaint();
}

void Exchange::blame_worker(std::string_view what, std::string_view cause) const {
  runtime::log(runtime::Level::kWarning, what,
               {{"app", app().name}, {"worker", record_.slot}, {"pid", record_.pid}, {"cause", cause}});
}

}  // namespace proxy
