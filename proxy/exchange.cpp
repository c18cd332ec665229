#include "proxy/exchange.h"

#include <algorithm>

#include "proxy/access_log.h"
#include "proxy/front_thread.h"
#include "proxy/websocket.h"
#include "runtime/log.h"
#include "runtime/text.h"
#include "upstream/environment.h"
#include "upstream/grammar.h"
#include "upstream/request_writer.h"

namespace proxy {
namespace {

using runtime::Bytes;
using runtime::Io;
using runtime::Slice;
using upstream::Acquired;
using upstream::FieldId;
using upstream::Framing;
using upstream::Method;
using upstream::Step;
using upstream::Version;

bool is_unknown_expectation(const upstream::Field& field) {
  return field.id == FieldId::kExpect && !runtime::equals_ignoring_case(field.value, "100-continue");
}

bool has_type(const upstream::Fields& fields, std::string_view type, std::string_view delimiters) {
  const upstream::Field* const field = upstream::find(fields, FieldId::kContentType);
  if (field == nullptr || !runtime::equals_ignoring_case(field->value.substr(0, type.size()), type)) return false;
  return field->value.size() == type.size() || delimiters.find(field->value[type.size()]) != delimiters.npos;
}

/// "application/grpc", "application/grpc+proto": both sides speak when they like (gRPC over HTTP2, "Content-Type").
bool is_grpc(const upstream::RequestHead& request) { return has_type(request.fields, "application/grpc", "+; \t"); }

/// HTML Living Standard 9.2: one event now, the next one whenever it happens.
bool is_event_stream(const upstream::ResponseHead& answer) { return has_type(answer.fields, "text/event-stream", "; \t"); }

}  // namespace

Exchange::Exchange(FrontThread& thread)
    : thread_(thread),
      ticket_(runtime::bind<&Exchange::on_leased>(this)),
      deadline_(thread.loop(), runtime::bind<&Exchange::on_deadline>(this)),
      send_soon_(thread.loop(), runtime::bind<&Exchange::send_rest>(this)) {}

// ---- the story ----

void Exchange::begin(ClientStream& stream, const ClientFacts& client) {
  stream_ = &stream;
  client_ = &client;
  record_.begin(thread_.loop().now());
  if (!admit() || !route() || !prepare()) return;
  if (!answer_by_route()) gather();
}

/// What no app should ever see.
bool Exchange::admit() {
  // RFC 9110 9.3.8: TRACE would show a client its own fields with ours among them. CONNECT makes a tunnel to anywhere.
  if (request_.method == Method::kTrace || request_.method == Method::kConnect) {
    answer_ourselves(405, kMethodRefused);
    return false;
  }
  // RFC 9110 10.1.1: an expectation other than 100-continue may be answered 417.
  if (request_.version != Version::kHttp10 && std::any_of(request_.fields.begin(), request_.fields.end(), is_unknown_expectation)) {
    answer_ourselves(417, kExpectationFailed);
    return false;
  }
  return true;
}

bool Exchange::route() {
  const auto found = thread_.site().route.find(request_.authority);
  if (!found) {
    answer_ourselves(404, kNoSuchHost);
    return false;
  }
  desk_ = &thread_.desk(*found);
  if (!client_->is_tls && app().plain_http == conf::PlainHttp::kRedirect) {
    redirect_to_https();
    return false;
  }
  if (!client_->is_tls && app().plain_http == conf::PlainHttp::kRefuse) {
    answer_ourselves(403, kPlainRefused);
    return false;
  }
  // RFC 9110 7.4: what is asked for by https has to come by it, or through a proxy that we trust to have seen to that.
  if (request_.says_https && !client_->is_tls && !thread_.site().trusts(*client_)) {
    answer_ourselves(421, kNotSecured);
    return false;
  }
  if (request_.framing == Framing::kLength && request_.content_length > app().max_body) {
    answer_ourselves(413, kBodyTooLarge);
    return false;
  }
  return true;
}

bool Exchange::prepare() {
  prepare_request(request_, *client_, thread_.site().trusts(*client_), record_.began_wall, ours_);
  switch (count_forward(request_, ours_)) {
    case Forwards::kGoOn:
      if (app_speaks_http()) add_via(request_.version, ours_);
      return true;
    case Forwards::kEndHere:
      tell_options();
      return false;
    case Forwards::kUnclear:
      answer_ourselves(400, kBadMaxForwards);
      return false;
  }
  return false;
}

/// Small bodies are read before a slot is taken, so that no worker waits for a slow client. What is larger than
/// buffer_body, does not fit into buffer_memory, or is to be streamed, goes to the worker while it comes.
void Exchange::gather() {
  if (request_.framing == Framing::kNone) upload_.finish();
  if (upload_.is_whole()) return seek();
  lives_long_ = is_grpc(request_);
  if (app().stream_body || lives_long_ || !request_.upgrade.empty()) return seek();
  phase_ = Phase::kGather;
  send_continue();
  arm_deadline();
}

void Exchange::on_body(Slice piece) {
  if (phase_ == Phase::kEnded || phase_ == Phase::kIdle || phase_ == Phase::kFile || stream_ == nullptr) return;
  const Bytes size = piece.size;
  record_.received += size;
  continue_sent_ = true;  // it did not wait for us
  if (phase_ != Phase::kTunnel && record_.received > app().max_body) return answer_ourselves(413, kBodyTooLarge);
  if (phase_ == Phase::kGather && upload_.size() + size < app().buffer_body && thread_.site().gathered->take(size)) {
    gathered_ += size;
    upload_.gather(std::move(piece));
    stream_->body_taken(size);
    return arm_deadline();
  }
  upload_.add(std::move(piece));
  if (phase_ == Phase::kGather) return seek();
  send_soon_.schedule();
}

void Exchange::on_body_end(std::string_view trailers) {
  if (phase_ == Phase::kEnded || phase_ == Phase::kIdle) return;
  if (!trailers.empty() && app_speaks_http()) upload_.add_trailers(pass_trailers(trailers));
  upload_.finish();
  if (phase_ == Phase::kGather) return seek();
  if (phase_ == Phase::kTunnel) client_closed_ = true;
  send_soon_.schedule();
}

/// What has come in one turn of the loop goes in one write, in however many pieces it came.
void Exchange::send_rest() {
  if (has_worker()) send_body();
}

void Exchange::seek(upstream::WorkerId tried) {
  phase_ = Phase::kSeek;
  const bool may_repeat = upstream::is_idempotent(request_.method) && upload_.is_here_whole();
  switch (desk_->dispatch().acquire(*desk_, ticket_, lease_, may_repeat, tried)) {
    case Acquired::kLeased:
      return send();
    case Acquired::kWaiting:
      return deadline_.arm(desk_->dispatch().patience());
    case Acquired::kFull:
      desk_->dispatch().figures().refused.fetch_add(1, std::memory_order_relaxed);
      return answer_ourselves(503, kQueueFull);
    case Acquired::kCannotStart:
      return answer_ourselves(503, kNotBooted);
    case Acquired::kNoOther:
      return answer_ourselves(502, failure_);
  }
}

void Exchange::on_leased(upstream::Lease& lease) {
  if (!lease) return answer_ourselves(503, kNotBooted);
  lease_ = std::move(lease);
  send();
}

void Exchange::send() {
  phase_ = Phase::kSend;
  record_.lease(lease_.worker(), thread_.loop().now());
  if (app().total_timeout.count() > 0 && record_.attempts == 1) total_until_ = thread_.loop().now() + app().total_timeout;
  upstream::Connection* const connection = lease_.connect();
  if (connection == nullptr) return attempt_failed(kCannotConnect, /*connect_failed=*/true);
  connection->watch().rebind(runtime::bind<&Exchange::on_worker_readable>(this),
                             runtime::bind<&Exchange::send_body>(this));
  reader_.begin(upstream::speech_of(app()), request_.method, !request_.upgrade.empty());
  if (!send_head()) return answer_ourselves(400, kBadTarget);
  send_continue();
  send_body();
}

/// A client that asked waits for this before it sends its body; without one there is nothing to wait for (RFC 9110 10.1.1).
void Exchange::send_continue() {
  if (!request_.expects_continue || continue_sent_ || request_.framing == Framing::kNone) return;
  continue_sent_ = true;
  upstream::ResponseHead head;
  head.status = 100;
  stream_->send_interim(head);
}

/// False: our Python worker could not be told of such a request.
bool Exchange::send_head() {
  const bool is_http = app_speaks_http();
  // A body that is here as a whole has a length, however it came. Only chunks can have trailers behind them.
  const bool length_is_known =
      !upload_.has_trailers() && (request_.framing == Framing::kLength || upload_.is_here_whole());
  const std::uint64_t length = request_.framing == Framing::kLength ? request_.content_length : upload_.size();
  const Framing framing = request_.framing == Framing::kNone ? Framing::kNone
                          : length_is_known                  ? Framing::kLength
                                                             : Framing::kChunked;
  upload_.start(framing == Framing::kNone       ? Upload::Wire::kNone
                : !is_http                      ? Upload::Wire::kFrames
                : framing == Framing::kChunked  ? Upload::Wire::kChunked
                                                : Upload::Wire::kPlain);
  if (!is_http) {
    return upstream::write_environment(request_, ours_.fields(), environment_facts(), framing, length, upload_.wire());
  }
  upstream::write_request(request_, ours_.fields(), framing, length, upload_.wire());
  return true;
}

/// Puts as much of the body on the worker's wire as there is room for; the client gets credit for what has gone.
void Exchange::send_body() {
  upload_.fill();
  upload_.flush(lease_.connection());
  const Bytes gone = upload_.take_credit();
  if (gone > 0 && stream_ != nullptr) stream_->body_taken(gone);
  if (phase_ == Phase::kTunnel && client_closed_ && upload_.has_drained()) {
    if (worker_closed_) return end(kOk);
    lease_.connection().close_write();
  }
  arm_deadline();
}

void Exchange::on_worker_readable() {
  // Another stream of the connection may have used up what all of them may leave unread.
  if (stream_->unsent() > ClientStream::kHighMark) return hold_or_resume();
  const std::span<char> room = from_worker_.room(reads_large_ && stream_->unsent() == 0);
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
  if (stream_ == nullptr || request_.version == Version::kHttp10) return;
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
  phase_ = is_tunnel ? Phase::kTunnel : Phase::kRelay;
  upload_.let_go();
  release_gathered();
  prepare_response(answer_, is_tunnel, takes_trailers());
  if (app_speaks_http()) add_via(answer_);
  stream_->send_head(answer_);
  if (is_tunnel) {
    upload_.become_tunnel();
    stream_->become_tunnel();
    on_tunnel_bytes();
  }
}

void Exchange::on_answer_body(Slice piece) {
  record_.sent += piece.size;
  stream_->send_body(std::move(piece));
  hold_or_resume();
}

/// A client that does not read holds the worker back, too: nothing more is read from it above the high mark.
void Exchange::hold_or_resume() {
  if (worker_closed_) return;
  const bool has_room = stream_->unsent() <= ClientStream::kHighMark;
  lease_.connection().watch().want_read(has_room);
  if (!has_room) arm_deadline();
}

void Exchange::on_room() {
  if (phase_ == Phase::kFile) return read_file_on();
  if (!has_worker()) return;
  hold_or_resume();
  arm_deadline();
}

void Exchange::tell_answer_end() {
  if (answer_body_ended_) return;
  answer_body_ended_ = true;
  if (!upload_.is_whole()) stream_->stop_body();
  if (takes_trailers() && !reader_.trailers().empty()) return stream_->end_body(pass_trailers(reader_.trailers()));
  stream_->end_body({});
}

void Exchange::on_answer_end() {
  tell_answer_end();
  if (reader_.has_surplus()) blame_worker("worker sent more than its answer", "nobody has asked for what stands behind it");
  // Fit for another exchange only if this one is over on both sides of the wire.
  lease_.give_back(reader_.may_reuse() && upload_.is_sent() && from_worker_.is_empty());
  end(kOk);
}

/// The only way out: slot and line free, the record written, the session told.
void Exchange::end(const Outcome& outcome) {
  deadline_.cancel();
  ticket_.leave();
  lease_.give_back(false);
  release_gathered();
  file_.reset();
  // An HTTP/2 client may take what is queued, or end its request, much later; others need the memory now.
  from_worker_.clear();
  upload_.clear();
  phase_ = Phase::kEnded;
  record(outcome);
  if (stream_ != nullptr) stream_->exchange_ended();
}

void Exchange::release_gathered() {
  if (gathered_ > 0) thread_.site().gathered->give_back(std::exchange(gathered_, 0));
}

}  // namespace proxy
