// The request's way to the worker: gathered before there is one, sent once there is.
#include <cstring>

#include "proxy/exchange.h"
#include "proxy/front_thread.h"
#include "proxy/long_lived.h"
#include "runtime/log.h"
#include "upstream/environment.h"
#include "upstream/request_writer.h"
#include "upstream/scope.h"

namespace proxy {

using runtime::Bytes;
using runtime::Slice;
using upstream::Framing;

/// A body is read before a slot is taken, so that no worker waits for a slow client; what is larger than buffer_body, or does
/// not fit into buffer_memory, into a file. What is to be streamed goes to the worker while it comes.
void Exchange::gather() {
  if (request_.framing == Framing::kNone) upload_.finish();
  if (upload_.is_whole()) return seek();
  lives_long_ = is_grpc(request_);
  if (rules_->stream_body || lives_long_ || !request_.upgrade.empty()) return seek();
  phase_ = Phase::kGather;
  send_continue();
  arm_deadline();
}

void Exchange::on_body(Slice piece) {
  if (phase_ == Phase::kEnded || phase_ == Phase::kIdle || phase_ == Phase::kFile || phase_ == Phase::kDeliver || stream_ == nullptr) return;
  const Bytes size = piece.size;
  record_.received += size;
  continue_sent_ = true;  // it did not wait for us
  if (phase_ != Phase::kTunnel && record_.received > rules_->max_body) return answer_ourselves(413, kBodyTooLarge);
  if (phase_ == Phase::kGather) return gather_piece(std::move(piece));
  upload_.add(std::move(piece));
  send_soon_.schedule();
}

/// What went into the file once is followed by the rest.
void Exchange::gather_piece(Slice piece) {
  const Bytes size = piece.size;
  if (upload_.file() == nullptr && upload_.size() + size <= rules_->buffer_body && thread_.site().buffer_memory->take(size)) {
    gathered_ += size;
    upload_.gather(std::move(piece));
    stream_->body_taken(size);
  } else {
    if (upload_.file() == nullptr && !open_body_file()) return answer_ourselves(507, kTooManySpooled);
    upload_.spool(std::move(piece));
    if (upload_.file()->fault() != SpoolFile::Fault::kNone) return on_body_file();
  }
  arm_deadline();
}

bool Exchange::open_body_file() {
  auto file = SpoolFile::make(thread_.spool(), runtime::bind<&Exchange::on_body_file>(this));
  const bool is_open = static_cast<bool>(file);
  upload_.use_file(std::move(file));
  return is_open;
}

/// The disk has taken some of the body, or read some of it for the worker; from the loop.
void Exchange::on_body_file() {
  if (const SpoolFile& file = *upload_.file(); file.fault() != SpoolFile::Fault::kNone) {
    return answer_ourselves(507, tell_spool_fault(file));
  }
  if (has_worker()) return send_body();
  if (phase_ != Phase::kGather) return;
  if (const Bytes written = upload_.take_credit(); written > 0) stream_->body_taken(written);
  go_on_if_gathered();
}

/// The line in the error log, and what the event will say.
Outcome Exchange::tell_spool_fault(const SpoolFile& file) const {
  Outcome outcome = kSpoolFull;
  if (file.fault() == SpoolFile::Fault::kUnwritten) outcome = kNotSpooled;
  if (file.fault() == SpoolFile::Fault::kUnread) outcome = kSpoolLost;
  runtime::log(runtime::Level::kError, outcome.cause,
               {{"app", app().name}, {"cause", file.error() == 0 ? "[front] spool_disk" : std::strerror(file.error())}});
  return outcome;
}

void Exchange::go_on_if_gathered() {
  if (upload_.is_whole() && !upload_.waits_for_disk()) return seek();
  arm_deadline();
}

void Exchange::on_body_end(std::string_view trailers) {
  if (phase_ == Phase::kEnded || phase_ == Phase::kIdle || phase_ == Phase::kDeliver) return;
  if (!trailers.empty() && app_speaks_http()) upload_.add_trailers(pass_trailers(trailers));
  upload_.finish();
  if (phase_ == Phase::kGather) return go_on_if_gathered();
  if (phase_ == Phase::kTunnel) client_closed_ = true;
  send_soon_.schedule();
}

void Exchange::send() {
  phase_ = Phase::kSend;
  record_.lease(lease_.worker(), thread_.loop().now());
  if (rules_->total_timeout.count() > 0 && record_.attempts == 1) total_until_ = thread_.loop().now() + rules_->total_timeout;
  upstream::Connection* const connection = lease_.connect();
  if (connection == nullptr) return attempt_failed(kCannotConnect, /*connect_failed=*/true);
  connection->watch().rebind(runtime::bind<&Exchange::on_worker_readable>(this),
                             runtime::bind<&Exchange::send_body>(this));
  may_spool_ = !rules_->stream_answer && !lives_long_ && request_.upgrade.empty();
  reader_.begin(lease_.worker().speech, request_.method, !request_.upgrade.empty());
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
  const bool is_http = worker_speaks_http();
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
    const auto write = lease_.worker().speech == upstream::Speech::kScopes ? upstream::write_scope : upstream::write_environment;
    return write(request_, ours_.fields(), environment_facts(), framing, length, upload_.wire());
  }
  upstream::write_request(request_, ours_.fields(), framing, length, upload_.wire());
  return true;
}

upstream::EnvironmentFacts Exchange::environment_facts() const {
  return {.server_port = client_->port, .remote = origin_.client, .is_tls = origin_.is_tls};
}

/// Puts as much of the body on the worker's wire as there is room for; the client gets credit for what has gone.
void Exchange::send_body() {
  upload_.fill();
  upload_.flush(lease_.connection());
  const Bytes gone = upload_.take_credit();
  if (gone > 0 && stream_ != nullptr) stream_->body_taken(gone);
  if (phase_ == Phase::kTunnel && client_closed_ && upload_.has_drained()) {
    if (worker_closed_) return end(kOk);
    if (!worker_speaks_http()) return arm_deadline();  // the frame with `last` has said it
    lease_.connection().close_write();
  }
  arm_deadline();
}

/// What has come in one turn of the loop goes in one write, in however many pieces it came.
void Exchange::send_rest() {
  if (has_worker()) send_body();
}

}  // namespace proxy
